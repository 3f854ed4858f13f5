package referee;

import org.camunda.bpm.engine.delegate.DelegateExecution;
import org.camunda.bpm.engine.delegate.JavaDelegate;

/** A service that fails for as long as the variable `broken` is true. */
public final class Booking implements JavaDelegate {

  @Override
  public void execute(DelegateExecution execution) {
    if (Boolean.TRUE.equals(execution.getVariable("broken"))) {
      throw new IllegalStateException("the ledger is closed");
    }
  }
}
