import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.parser.DefaultModelClassFactory;
import ca.uhn.hl7v2.parser.GenericModelClassFactory;
import ca.uhn.hl7v2.parser.ModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Parses the messages of a file with HAPI for so many seconds of one thread's processor time and
 * prints one line for each way: name, messages a second, messages refused.
 *
 * The file: for each message its length (4 bytes, big-endian) and its UTF-8 text.
 */
public final class HapiBench {
  public static void main(String[] args) throws Exception {
    List<String> messages = read(args[0]);
    double seconds = Double.parseDouble(args[1]);
    measure("typed", new DefaultModelClassFactory(), messages, seconds);
    measure("generic", new GenericModelClassFactory(), messages, seconds);
  }

  private static void measure(
      String name, ModelClassFactory factory, List<String> messages, double seconds)
      throws Exception {
    try (HapiContext context = new DefaultHapiContext(factory)) {
      // As lenient as it goes: what is measured is parsing, not validation.
      context.setValidationContext(ValidationContextFactory.noValidation());
      context.getParserConfiguration().setDefaultObx2Type("ST");
      context.getParserConfiguration().setInvalidObx2Type("ST");
      PipeParser parser = context.getPipeParser();
      long refused = pass(parser, messages);
      run(parser, messages, seconds); // the compiler warms up
      System.out.printf("%s %.1f %d%n", name, run(parser, messages, seconds), refused);
    }
  }

  private static double run(PipeParser parser, List<String> messages, double seconds) {
    long began = cpu();
    long done = 0;
    while (cpu() - began < seconds * 1e9) {
      pass(parser, messages);
      done += messages.size();
    }
    return done / ((cpu() - began) / 1e9);
  }

  private static long pass(PipeParser parser, List<String> messages) {
    long refused = 0;
    for (String message : messages) {
      try {
        parser.parse(message);
      } catch (HL7Exception | RuntimeException error) {
        refused++;
      }
    }
    return refused;
  }

  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static List<String> read(String path) throws IOException {
    List<String> found = new ArrayList<>();
    try (DataInputStream in = new DataInputStream(new FileInputStream(path))) {
      while (in.available() > 0) {
        byte[] raw = new byte[in.readInt()];
        in.readFully(raw);
        found.add(new String(raw, StandardCharsets.UTF_8));
      }
    }
    return found;
  }
}
