package referee;

import camundajar.impl.com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.history.HistoricJobLogQuery;
import org.camunda.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.camunda.bpm.engine.impl.jobexecutor.DefaultJobExecutor;
import org.camunda.bpm.engine.impl.jobexecutor.historycleanup.HistoryCleanupJobHandler;
import org.camunda.bpm.engine.runtime.Job;

/** The engine's own cleanup as its job executor runs it, configured to lose no time between batches. */
final class OwnCleanup {

  private static final int MOST_ROWS = 500;
  private static final int LOOK_EVERY_MILLISECONDS = 10;

  private OwnCleanup() {}

  /** Settings for speed: the largest batch there is, and a job executor that looks again at once. */
  static void configure(ProcessEngineConfigurationImpl configuration, JsonObject command) {
    int jobs = command.get("parallelism").getAsInt();
    configuration.setHistoryCleanupDegreeOfParallelism(jobs);
    configuration.setHistoryCleanupBatchSize(MOST_ROWS);
    configuration.setJdbcMaxActiveConnections(jobs + 4);
    configuration.setJdbcMaxIdleConnections(jobs + 4);
    DefaultJobExecutor executor = new DefaultJobExecutor();
    executor.setCorePoolSize(jobs);
    executor.setMaxPoolSize(jobs);
    executor.setQueueSize(jobs);
    executor.setMaxJobsPerAcquisition(jobs);
    executor.setWaitTimeInMillis(5);
    executor.setWaitIncreaseFactor(1);
    executor.setMaxWait(5);
    executor.setBackoffTimeInMillis(0);
    executor.setMaxBackoff(0);
    configuration.setJobExecutor(executor);
  }

  /** From the start of the cleanup until every job rests; the engine's start is not part of it. */
  static Map<String, Object> run(ProcessEngine engine) throws InterruptedException {
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    HistoricJobLogQuery log = engine.getHistoryService().createHistoricJobLogQuery();
    long executions = log.jobDefinitionType(HistoryCleanupJobHandler.TYPE).successLog().count();
    long began = System.nanoTime();
    configuration.getJobExecutor().start();
    try {
      engine.getHistoryService().cleanUpHistoryAsync(true);
      while (working(engine.getHistoryService().findHistoryCleanupJobs())) {
        Thread.sleep(LOOK_EVERY_MILLISECONDS);
      }
      return Map.of("seconds", (System.nanoTime() - began) / 1e9, "executions", log.count() - executions);
    } finally {
      configuration.getJobExecutor().shutdown();
    }
  }

  /** Without a window the engine suspends a job after an execution that did not fill its batch. */
  private static boolean working(List<Job> jobs) {
    for (Job job : jobs) {
      if (job.getRetries() == 0) {
        throw new IllegalStateException("the engine's cleanup failed: " + job.getExceptionMessage());
      }
    }
    return jobs.isEmpty() || jobs.stream().anyMatch(job -> !job.isSuspended());
  }
}
