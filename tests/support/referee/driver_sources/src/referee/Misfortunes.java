package referee;

import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.batch.Batch;
import org.camunda.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.camunda.bpm.engine.impl.cfg.TransactionState;
import org.camunda.bpm.engine.impl.util.ClockUtil;
import org.camunda.bpm.engine.repository.ProcessDefinition;
import org.camunda.bpm.engine.runtime.Job;

/** Histories that are not whole: what operators leave behind, and what the engine has not committed yet. */
final class Misfortunes {

  private static final int LONGEST_SECONDS = 60;

  private final ProcessEngine engine;
  private final Population population;
  private Thread held;
  private CountDownLatch commit;

  Misfortunes(ProcessEngine engine, Population population) {
    this.engine = engine;
    this.population = population;
  }

  /** Starts instances at one instant, and at another each meets its own; their ids by what they met. */
  Map<String, String> happen(Date start, Date end) {
    ClockUtil.setCurrentTime(start);
    Map<String, String> ids = new HashMap<>();
    for (String fate : List.of("none", "detached", "half dated", "late")) {
      ids.put(fate, population.startProcess("order"));
    }
    ids.put("half dated and ended", population.startProcess("note"));
    for (String tenant : List.of("north", "south")) {
      for (String key : List.of("letter", "memo")) {
        ids.put(key + " of " + tenant, engine.getRuntimeService().createProcessInstanceByKey(key)
            .processDefinitionTenantId(tenant).setVariable("broken", false).execute().getId());
      }
    }

    ClockUtil.setCurrentTime(end);
    population.finish(ids.get("none"));
    population.finish(ids.get("half dated and ended"));
    ids.keySet().stream().filter(fate -> fate.contains(" of ")).map(ids::get).forEach(population::finish);
    // The caller is deleted, what it called goes on.
    engine.getRuntimeService().deleteProcessInstance(ids.get("detached"), "operator", false, true, false, true);
    // An operator's batch that was ended after the first part of each tree.
    interrupted(end, ids.get("half dated"));
    interrupted(end, ids.get("half dated and ended"));
    for (ProcessDefinition one : engine.getRepositoryService().createProcessDefinitionQuery()
        .tenantIdIn("north").processDefinitionKey("memo").list()) {
      engine.getRepositoryService().deleteProcessDefinition(one.getId(), false);
    }
    engine.getRepositoryService().createDeploymentQuery().tenantIdIn("south").list().forEach(
        one -> engine.getRepositoryService().deleteDeployment(one.getId(), false));
    return ids;
  }

  /** Sets the removal time of a tree that runs, and does not commit that before `release`. */
  void hold(Date removal, String id) throws InterruptedException {
    Batch batch = engine.getHistoryService().setRemovalTimeToHistoricProcessInstances()
        .absoluteRemovalTime(removal).byIds(id).hierarchical().executeAsync();
    population.seed(batch);
    CountDownLatch written = new CountDownLatch(1);
    commit = new CountDownLatch(1);
    var executor = ((ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration())
        .getCommandExecutorTxRequired();
    held = new Thread(() -> executor.execute(context -> {
      context.getTransactionContext().addTransactionListener(TransactionState.COMMITTING, ignored -> {
        written.countDown();
        await(commit);
      });
      jobs(batch).forEach(job -> engine.getManagementService().executeJob(job.getId()));
      return null;
    }));
    held.start();
    await(written);
  }

  /** Commits what is held. */
  void release() throws InterruptedException {
    commit.countDown();
    held.join();
  }

  private void interrupted(Date removal, String id) {
    Batch batch = engine.getHistoryService().setRemovalTimeToHistoricProcessInstances()
        .absoluteRemovalTime(removal).byIds(id).hierarchical().updateInChunks().chunkSize(1).executeAsync();
    population.seed(batch);
    jobs(batch).forEach(job -> engine.getManagementService().executeJob(job.getId()));
    engine.getManagementService().deleteBatch(batch.getId(), true);
  }

  private List<Job> jobs(Batch batch) {
    return new ArrayList<>(engine.getManagementService().createJobQuery()
        .jobDefinitionId(batch.getBatchJobDefinitionId()).list());
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(LONGEST_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nothing happened for " + LONGEST_SECONDS + " seconds");
      }
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }
}
