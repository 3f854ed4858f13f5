package referee;

import camundajar.impl.com.google.gson.Gson;
import camundajar.impl.com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers commands, one JSON object a line on standard input, with one JSON object a line each. */
public final class Driver {

  private Driver() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // Whatever else the engine or a driver prints must not end up between the answers.
    System.setOut(System.err);
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Gson gson = new Gson();
    Referee referee = new Referee();
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        JsonObject command = gson.fromJson(line, JsonObject.class);
        answer.put("result", referee.answer(command));
      } catch (Throwable error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        answer.put("error", trace.toString());
      }
      answers.println(gson.toJson(answer));
    }
    referee.close();
  }
}
