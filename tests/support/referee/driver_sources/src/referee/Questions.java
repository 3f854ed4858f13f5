package referee;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.externaltask.ExternalTask;
import org.camunda.bpm.engine.history.HistoricExternalTaskLog;
import org.camunda.bpm.engine.history.HistoricJobLog;
import org.camunda.bpm.engine.history.HistoricTaskInstance;
import org.camunda.bpm.engine.history.HistoricVariableInstance;
import org.camunda.bpm.engine.query.Query;
import org.camunda.bpm.engine.runtime.Job;
import org.camunda.bpm.engine.task.Attachment;

/** Everything that the engine can be asked about its history, and every byte array behind it. */
final class Questions {

  private final ProcessEngine engine;
  private final Map<String, Long> answers = new TreeMap<>();

  Questions(ProcessEngine engine) {
    this.engine = engine;
  }

  Map<String, Long> answers() throws Exception {
    for (Method method : org.camunda.bpm.engine.HistoryService.class.getMethods()) {
      if (method.getParameterCount() == 0 && Query.class.isAssignableFrom(method.getReturnType())) {
        Query<?, ?> query = (Query<?, ?>) method.invoke(engine.getHistoryService());
        count(method.getName(), query.list(), query.count());
      }
    }
    reports();
    contents();
    return answers;
  }

  private void reports() {
    var history = engine.getHistoryService();
    put("processReport", history.createHistoricProcessInstanceReport()
        .duration(org.camunda.bpm.engine.query.PeriodUnit.MONTH));
    put("taskReport", history.createHistoricTaskInstanceReport().countByTaskName());
    put("decisionsWhole", history.createHistoricDecisionInstanceQuery().includeInputs().includeOutputs().list());
    for (var definition : engine.getRepositoryService().createProcessDefinitionQuery().list()) {
      history.createHistoricActivityStatisticsQuery(definition.getId()).includeFinished().list();
    }
    for (var definition : engine.getRepositoryService().createCaseDefinitionQuery().list()) {
      history.createHistoricCaseActivityStatisticsQuery(definition.getId()).list();
    }
  }

  private void contents() throws Exception {
    var history = engine.getHistoryService();
    long broken = 0;
    for (HistoricVariableInstance variable : history.createHistoricVariableInstanceQuery().list()) {
      broken += variable.getErrorMessage() == null ? 0 : 1;
      // A value that lives in a byte array is null once that is gone.
      broken += variable.getValue() == null && !"null".equals(variable.getTypeName()) ? 1 : 0;
    }
    for (HistoricJobLog entry : history.createHistoricJobLogQuery().failureLog().list()) {
      broken += history.getHistoricJobLogExceptionStacktrace(entry.getId()) == null ? 1 : 0;
    }
    for (HistoricExternalTaskLog entry : history.createHistoricExternalTaskLogQuery().failureLog().list()) {
      broken += history.getHistoricExternalTaskLogErrorDetails(entry.getId()) == null ? 1 : 0;
    }
    for (Job job : engine.getManagementService().createJobQuery().withException().list()) {
      broken += engine.getManagementService().getJobExceptionStacktrace(job.getId()) == null ? 1 : 0;
    }
    for (ExternalTask task : engine.getExternalTaskService().createExternalTaskQuery().list()) {
      boolean failed = task.getErrorMessage() != null;
      String details = engine.getExternalTaskService().getExternalTaskErrorDetails(task.getId());
      broken += failed && details == null ? 1 : 0;
    }
    long attachments = 0;
    for (HistoricTaskInstance task : history.createHistoricTaskInstanceQuery().list()) {
      engine.getTaskService().getTaskComments(task.getId());
      for (Attachment attachment : engine.getTaskService().getTaskAttachments(task.getId())) {
        attachments++;
        try (var content = engine.getTaskService().getAttachmentContent(attachment.getId())) {
          broken += content == null ? 1 : 0;
        }
      }
    }
    answers.put("attachments", attachments);
    answers.put("brokenContents", broken);
  }

  private void put(String name, List<?> found) {
    answers.put(name, (long) found.size());
  }

  private void count(String name, List<?> listed, long counted) {
    if (listed.size() != counted) {
      throw new IllegalStateException(name + " lists " + listed.size() + " and counts " + counted);
    }
    answers.put(name, counted);
  }
}
