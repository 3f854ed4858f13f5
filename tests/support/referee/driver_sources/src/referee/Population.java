package referee;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.authorization.Authorization;
import org.camunda.bpm.engine.authorization.HistoricProcessInstancePermissions;
import org.camunda.bpm.engine.authorization.Resources;
import org.camunda.bpm.engine.batch.Batch;
import org.camunda.bpm.engine.externaltask.ExternalTask;
import org.camunda.bpm.engine.impl.util.ClockUtil;
import org.camunda.bpm.engine.runtime.CaseExecution;
import org.camunda.bpm.engine.runtime.Job;
import org.camunda.bpm.engine.runtime.ProcessInstance;
import org.camunda.bpm.engine.task.Task;
import org.camunda.bpm.engine.variable.Variables;

/** Fills every table of the history: each kind of instance, some finished, some left running. */
final class Population {

  private final ProcessEngine engine;

  Population(ProcessEngine engine) {
    this.engine = engine;
  }

  /** Starts one of everything at one instant and finishes most of it at another. */
  void populate(Date start, Date end) {
    ClockUtil.setCurrentTime(start);
    List<String> finished = new ArrayList<>();
    List<String> running = new ArrayList<>();
    for (String key : List.of("order", "order", "letter", "note", "memo", "complaint")) {
      finished.add(startProcess(key));
    }
    finished.add(engine.getFormService().submitStartForm(definition("order"), variables()).getId());
    running.add(startProcess("order"));
    String halfway = startProcess("order");
    running.add(startProcess("note"));
    running.add(startProcess("complaint"));
    List<String> pings = List.of(startProcess("ping"), startProcess("ping"), startProcess("ping"));
    List<String> migrants = List.of(startProcess("note"), startProcess("note"), startProcess("note"));
    List<String> cases = List.of(startCase("claim"), startCase("dispute"));
    startCase("claim");
    Task standalone = engine.getTaskService().newTask();
    engine.getTaskService().saveTask(standalone);
    workOn(standalone, false);
    engine.getDecisionService().evaluateDecisionTableByKey("discount", variables());
    engine.getDecisionService().evaluateDecisionTableByKey("fee", variables());
    batches(running, migrants);

    ClockUtil.setCurrentTime(end);
    engine.getTaskService().complete(standalone.getId());
    finished.forEach(this::finish);
    pings.forEach(this::finish);
    cases.forEach(this::finishCase);
    advance(running.get(0), "pack", false);
    // Its called instances end, and it stays at its own task.
    advance(halfway, "approve", true);
    batchesOnFinished(finished, pings);
    // A person may set a removal time for an instance that still runs.
    setRemovalTime(running.get(1), 5);
  }

  /** Ends everything that still runs, then runs one more of everything; how many instances ended. */
  long resume() {
    long ended = end();
    Date now = ClockUtil.getCurrentTime();
    populate(now, now);
    return ended;
  }

  /** Ends everything that still runs; how many instances ended. */
  long end() {
    var unfinished = engine.getHistoryService().createHistoricProcessInstanceQuery().unfinished();
    long before = unfinished.count();
    for (Batch batch : engine.getManagementService().createBatchQuery().list()) {
      if (batch.isSuspended()) {
        engine.getManagementService().activateBatchById(batch.getId());
      }
      runBatch(batch, true);
      if (engine.getManagementService().createBatchQuery().batchId(batch.getId()).count() > 0) {
        engine.getManagementService().deleteBatch(batch.getId(), false);
      }
    }
    engine.getRuntimeService().createProcessInstanceQuery().suspended().list().forEach(
        instance -> engine.getRuntimeService().activateProcessInstanceById(instance.getId()));
    engine.getRuntimeService().createProcessInstanceQuery().rootProcessInstances().list().forEach(
        instance -> finish(instance.getId()));
    engine.getCaseService().createCaseInstanceQuery().active().list().forEach(
        instance -> finishCase(instance.getId()));
    long left = unfinished.count();
    if (left > 0) {
      throw new IllegalStateException(left + " instances did not come to their end");
    }
    return before;
  }

  String startProcess(String key) {
    ProcessInstance instance =
        engine.getRuntimeService().startProcessInstanceByKey(key, "business " + key, variables());
    Authorization grant =
        engine.getAuthorizationService().createNewAuthorization(Authorization.AUTH_TYPE_GRANT);
    grant.setUserId("piggy");
    grant.setResource(Resources.HISTORIC_PROCESS_INSTANCE);
    grant.setResourceId(instance.getId());
    grant.addPermission(HistoricProcessInstancePermissions.READ);
    engine.getAuthorizationService().saveAuthorization(grant);
    return instance.getId();
  }

  private String startCase(String key) {
    return engine.getCaseService().createCaseInstanceByKey(key, variables()).getId();
  }

  private String definition(String key) {
    return engine.getRepositoryService().createProcessDefinitionQuery()
        .processDefinitionKey(key).latestVersion().singleResult().getId();
  }

  private static Map<String, Object> variables() {
    Map<String, Object> variables = new HashMap<>();
    variables.put("amount", 42L);
    variables.put("broken", true);
    variables.put("customer", Variables.objectValue(new ArrayList<>(List.of("Kermit", "Swamp")))
        .serializationDataFormat(Variables.SerializationDataFormats.JAVA).create());
    variables.put("scan", Variables.fileValue("scan.txt").file("seen".getBytes(StandardCharsets.UTF_8))
        .mimeType("text/plain").create());
    return variables;
  }

  void finish(String root) {
    advance(root, null, true);
    long left = engine.getRuntimeService().createProcessInstanceQuery().processInstanceId(root).count();
    if (left > 0) {
      throw new IllegalStateException(root + " is still at "
          + engine.getRuntimeService().getActiveActivityIds(root));
    }
  }

  /** Works on an instance and all it called until it has ended or has arrived at an activity. */
  private void advance(String id, String stopAt, boolean mend) {
    for (int rounds = 0; rounds < 20; rounds++) {
      ProcessInstance instance =
          engine.getRuntimeService().createProcessInstanceQuery().processInstanceId(id).singleResult();
      if (instance == null) {
        return;
      }
      for (String activity : engine.getRuntimeService().getActiveActivityIds(id)) {
        if (activity.equals(stopAt)) {
          return;
        }
      }
      engine.getRuntimeService().createProcessInstanceQuery().superProcessInstanceId(id).list()
          .forEach(called -> advance(called.getId(), stopAt, mend));
      engine.getCaseService().createCaseInstanceQuery().superProcessInstanceId(id).list()
          .forEach(called -> finishCase(called.getId()));
      externalTasks(id, mend);
      if (!mend) {
        return;
      }
      engine.getTaskService().createTaskQuery().processInstanceId(id).list()
          .forEach(task -> workOn(task, true));
      engine.getManagementService().createJobQuery().processInstanceId(id).list().forEach(this::jobs);
    }
  }

  /** Each external task fails once with details and waits for a person; it is completed if asked for. */
  private void externalTasks(String id, boolean mend) {
    var service = engine.getExternalTaskService();
    for (ExternalTask task : service.createExternalTaskQuery().processInstanceId(id).list()) {
      if (task.getErrorMessage() == null) {
        service.lock(task.getId(), "worker", 1000);
        service.handleFailure(task.getId(), "worker", "no boxes", "no boxes: details", 0, 0);
      }
      if (mend) {
        service.setRetries(task.getId(), 1);
        service.lock(task.getId(), "worker", 1000);
        service.complete(task.getId(), "worker");
      }
    }
  }

  private void workOn(Task task, boolean complete) {
    var service = engine.getTaskService();
    service.addCandidateUser(task.getId(), "rowlf");
    service.setAssignee(task.getId(), "kermit");
    service.createComment(task.getId(), task.getProcessInstanceId(), "looked at it");
    service.createAttachment("text/plain", task.getId(), task.getProcessInstanceId(), "proof", null,
        new ByteArrayInputStream("proof".getBytes(StandardCharsets.UTF_8)));
    service.setVariableLocal(task.getId(), "draft",
        Variables.fileValue("draft.txt").file("one".getBytes(StandardCharsets.UTF_8)).create());
    service.setVariableLocal(task.getId(), "draft",
        Variables.fileValue("draft.txt").file("two".getBytes(StandardCharsets.UTF_8)).create());
    if (complete) {
      service.complete(task.getId(), Map.of("amount", 43L));
    }
  }

  /** Fails with a stack trace until the retries are used up, then is mended and succeeds. */
  private void jobs(Job job) {
    for (int attempts = 0; attempts < 3; attempts++) {
      tryToExecute(job);
    }
    if (engine.getManagementService().createJobQuery().jobId(job.getId()).count() > 0) {
      engine.getRuntimeService().setVariable(job.getExecutionId(), "broken", false);
      engine.getManagementService().setJobRetries(job.getId(), 1);
      engine.getManagementService().executeJob(job.getId());
    }
  }

  private void tryToExecute(Job job) {
    try {
      engine.getManagementService().executeJob(job.getId());
    } catch (RuntimeException failure) {
      // It is meant to: the engine has logged the failure and taken one retry.
    }
  }

  private void finishCase(String id) {
    for (Task task : engine.getTaskService().createTaskQuery().caseInstanceId(id).list()) {
      workOn(task, true);
    }
    for (CaseExecution execution : engine.getCaseService().createCaseExecutionQuery().caseInstanceId(id)
        .activityId("write").list()) {
      engine.getRuntimeService().createProcessInstanceQuery().superCaseInstanceId(id).list()
          .forEach(written -> finish(written.getId()));
    }
    if (engine.getCaseService().createCaseInstanceQuery().caseInstanceId(id).completed().count() > 0) {
      engine.getCaseService().closeCaseInstance(id);
    }
  }

  private void batches(List<String> running, List<String> migrants) {
    var runtime = engine.getRuntimeService();
    runBatch(runtime.setVariablesAsync(running, Map.of("seen", true)), true);
    // Started, but not all of its jobs have run.
    runBatch(runtime.setVariablesAsync(running, Map.of("seen", false)), false);
    var plan = runtime.createMigrationPlan(definition("note"), definition("letter")).mapEqualActivities().build();
    runBatch(runtime.newMigration(plan).processInstanceIds(migrants.get(0)).executeAsync(), true);
    Batch failing = runtime.newMigration(plan).processInstanceIds(migrants.subList(1, 3)).executeAsync();
    seed(failing);
    runtime.deleteProcessInstance(migrants.get(1), "to make its migration fail");
    runBatch(failing, true);
    engine.getManagementService().deleteBatch(failing.getId(), false);
    Batch left = runtime.newMigration(plan).processInstanceIds(migrants.get(0)).executeAsync();
    runBatch(left, true);
  }

  private void batchesOnFinished(List<String> finished, List<String> pings) {
    var management = engine.getManagementService();
    List<String> jobs = new ArrayList<>();
    management.createJobQuery().messages().activityId("book").list().forEach(job -> jobs.add(job.getId()));
    if (!jobs.isEmpty()) {
      runBatch(management.setJobRetriesAsync(jobs, 5), true);
    }
    var history = engine.getHistoryService();
    runBatch(history.deleteHistoricProcessInstancesAsync(pings.subList(0, 1), "not needed"), true);
    setRemovalTime(finished.get(1), 400);
  }

  private void setRemovalTime(String id, int days) {
    Calendar removal = Calendar.getInstance();
    removal.setTime(ClockUtil.getCurrentTime());
    removal.add(Calendar.DAY_OF_MONTH, days);
    runBatch(engine.getHistoryService().setRemovalTimeToHistoricProcessInstances()
        .absoluteRemovalTime(removal.getTime()).byIds(id).hierarchical().executeAsync(), true);
  }

  void seed(Batch batch) {
    var management = engine.getManagementService();
    management.createJobQuery().jobDefinitionId(batch.getSeedJobDefinitionId()).list()
        .forEach(job -> management.executeJob(job.getId()));
  }

  private void runBatch(Batch batch, boolean whole) {
    var management = engine.getManagementService();
    seed(batch);
    List<Job> jobs = management.createJobQuery().jobDefinitionId(batch.getBatchJobDefinitionId()).list();
    (whole ? jobs : jobs.subList(0, Math.min(1, jobs.size()))).forEach(this::tryToExecute);
    if (whole) {
      management.createJobQuery().jobDefinitionId(batch.getMonitorJobDefinitionId()).list()
          .forEach(job -> management.executeJob(job.getId()));
    }
  }
}
