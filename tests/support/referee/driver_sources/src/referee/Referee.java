package referee;

import camundajar.impl.com.google.gson.JsonElement;
import camundajar.impl.com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.camunda.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.camunda.bpm.engine.impl.util.ClockUtil;
import org.camunda.bpm.engine.repository.DeploymentBuilder;
import org.camunda.bpm.engine.runtime.Job;

/** The commands: one engine at a time, on the database that `start` names. */
final class Referee {

  private ProcessEngine engine;
  private Population population;
  private Misfortunes misfortunes;

  Object answer(JsonObject command) throws Exception {
    switch (text(command, "command")) {
      case "start":
        return start(command);
      case "deploy":
        return deploy(command);
      case "populate":
        population.populate(instant(text(command, "start")), instant(text(command, "end")));
        return null;
      case "misfortunes":
        return misfortunes.happen(instant(text(command, "start")), instant(text(command, "end")));
      case "hold":
        ClockUtil.setCurrentTime(instant(text(command, "now")));
        misfortunes.hold(instant(text(command, "removal")), text(command, "id"));
        return null;
      case "release":
        misfortunes.release();
        return null;
      case "end":
        ClockUtil.setCurrentTime(instant(text(command, "now")));
        return population.end();
      case "resume":
        ClockUtil.setCurrentTime(instant(text(command, "now")));
        return population.resume();
      case "cleanup":
        return cleanup(instant(text(command, "now")));
      case "own_cleanup":
        ClockUtil.setCurrentTime(instant(text(command, "now")));
        return OwnCleanup.run(engine);
      case "query":
        ClockUtil.setCurrentTime(instant(text(command, "now")));
        return new Questions(engine).answers();
      case "close":
        close();
        return null;
      default:
        throw new IllegalArgumentException("unknown command " + command);
    }
  }

  private Object start(JsonObject command) {
    close();
    StandaloneProcessEngineConfiguration configuration = new StandaloneProcessEngineConfiguration();
    configuration.setProcessEngineName("referee");
    configuration.setJdbcUrl(text(command, "url"));
    configuration.setJdbcUsername(text(command, "user"));
    configuration.setJdbcPassword(text(command, "password"));
    boolean postgresql = text(command, "url").startsWith("jdbc:postgresql:");
    configuration.setJdbcDriver(postgresql ? "org.postgresql.Driver" : "org.mariadb.jdbc.Driver");
    configuration.setDatabaseType(text(command, "database"));
    configuration.setDatabaseSchemaUpdate("true");
    configuration.setHistory("full");
    configuration.setJobExecutorActivate(false);
    configuration.setMetricsEnabled(true);
    configuration.setDbMetricsReporterActivate(false);
    configuration.setAuthorizationEnabled(true);
    configuration.setEnableHistoricInstancePermissions(true);
    configuration.setRestrictUserOperationLogToAuthenticatedUsers(false);
    configuration.setEnforceHistoryTimeToLive(false);
    configuration.setInvocationsPerBatchJob(1);
    configuration.setHistoryCleanupStrategy(text(command, "strategy"));
    configuration.setHistoryRemovalTimeStrategy(text(command, "removal"));
    configuration.setHistoryCleanupJobLogTimeToLive(text(command, "job_log_ttl"));
    configuration.setTaskMetricsTimeToLive(text(command, "task_metrics_ttl"));
    configuration.setBatchOperationHistoryTimeToLive(text(command, "batch_ttl"));
    Map<String, String> types = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> entry : command.getAsJsonObject("batch_ttls").entrySet()) {
      types.put(entry.getKey(), entry.getValue().isJsonNull() ? null : entry.getValue().getAsString());
    }
    configuration.setBatchOperationsForHistoryCleanup(types);
    if (command.has("parallelism")) {
      OwnCleanup.configure(configuration, command);
    }
    engine = configuration.buildProcessEngine();
    population = new Population(engine);
    misfortunes = new Misfortunes(engine, population);
    return engine.getClass().getName();
  }

  private Object deploy(JsonObject command) throws IOException, ParseException {
    ClockUtil.setCurrentTime(instant(text(command, "now")));
    DeploymentBuilder deployment =
        engine.getRepositoryService().createDeployment().tenantId(text(command, "tenant"));
    for (JsonElement file : command.getAsJsonArray("files")) {
      Path path = Path.of(file.getAsString());
      try (InputStream content = Files.newInputStream(path)) {
        deployment.addInputStream(path.getFileName().toString(), content);
      }
    }
    return deployment.deploy().getId();
  }

  /** Runs the engine's own cleanup at an instant until nothing more goes; the number of executions. */
  private int cleanup(Date now) {
    ClockUtil.setCurrentTime(now);
    engine.getHistoryService().cleanUpHistoryAsync(true);
    for (int executions = 0; ; executions++) {
      if (executions > 100) {
        throw new IllegalStateException("the engine's cleanup does not come to an end");
      }
      List<Job> jobs = engine.getHistoryService().findHistoryCleanupJobs();
      // Outside any window the engine suspends the job after an execution that was not a full batch.
      jobs.removeIf(job -> job.isSuspended() || job.getDuedate().after(now));
      if (jobs.isEmpty()) {
        return executions;
      }
      jobs.forEach(job -> engine.getManagementService().executeJob(job.getId()));
    }
  }

  void close() {
    if (engine != null) {
      engine.close();
      // The pool of connections outlives the engine otherwise, and a copied database must have none.
      ProcessEngineConfigurationImpl configuration =
          (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
      if (configuration.getDataSource() instanceof org.apache.ibatis.datasource.pooled.PooledDataSource) {
        ((org.apache.ibatis.datasource.pooled.PooledDataSource) configuration.getDataSource()).forceCloseAll();
      }
      engine = null;
      ClockUtil.reset();
    }
  }

  private static String text(JsonObject command, String name) {
    JsonElement element = command.get(name);
    return element == null || element.isJsonNull() ? null : element.getAsString();
  }

  private static Date instant(String text) throws ParseException {
    return new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ssXXX").parse(text);
  }
}
