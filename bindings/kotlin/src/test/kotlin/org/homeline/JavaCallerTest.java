package org.homeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A host in Java: the blocking objects, and {@link ForJava} for the numbers. */
class JavaCallerTest {
    @Test
    void aPressFromJava(@TempDir Path directory) throws HomelineException {
        Stage.INSTANCE.link("up");
        Config config = Stage.INSTANCE.config(directory.resolve("home"), List.of());
        FileVault vault = FileVault.Companion.open(directory.resolve("vault.key").toString());
        try (BlockingHomeline home = BlockingHomeline.Companion.open(config, vault, null, null);
                BlockingSos sos = home.sos()) {
            Position here = new Position.Wgs84(41.0082, 28.9784);
            Fix fix = ForJava.fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS);
            String report = sos.press(ForJava.sosRequest(SosKind.MEDICAL, "摔伤了", fix, 0));
            assertEquals(ReportState.Stored.INSTANCE, sos.status(report).getState());

            SyncOutcome outcome = ForJava.sync(home, 30_000);
            assertEquals(SyncStop.DONE, outcome.getStopped());
            assertEquals(0, ForJava.waiting(outcome));
            assertInstanceOf(ReportState.Received.class, sos.status(report).getState());
            assertThrows(HomelineException.NotFound.class, () -> sos.status("no such report"));
        }
    }
}
