package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestTest {
    @Test
    void whatSomebodyMayHaveMeant() {
        List<String> names = List.of("/help", "/persona", "/history");
        assertThat(Nearest.advice("/hlep", names)).isEqualTo("did you mean /help?");
        assertThat(Nearest.advice("/hist", names)).isEqualTo("did you mean /history?");
        assertThat(Nearest.advice("/personna", names)).isEqualTo("did you mean /persona?");
        assertThat(Nearest.advice("/elephant", names)).isEqualTo("there are /help, /persona, /history");
        assertThat(Nearest.advice("", names)).isEqualTo("did you mean /help?");
    }
}
