"""Memory does not grow with each version of a table, nor with each table that ever was."""

import pytest
from support.versions import GROWTH_MAX_MIB, growth_by_tables, growth_by_versions


@pytest.mark.nightly
@pytest.mark.parametrize("growth", [growth_by_versions, growth_by_tables])
def test_what_is_gone_takes_no_memory(stages, broker, growth):
    stage = stages(broker, source_tables_refresh_secs=1, kafka_topics_partitions=1)
    with stage.capture(http=True) as capture:
        grown = growth(stage.server, stage.name, capture)
        capture.stop()
    print(f"{growth.__name__}: {grown:.1f} MiB")
    assert grown < GROWTH_MAX_MIB
