"""Memory does not grow with each version of a table, nor with each table that ever was."""

import pytest
from support.capture import Capture
from support.versions import GROWTH_MAX_MIB, growth_by_tables, growth_by_versions


@pytest.mark.parametrize("growth", [growth_by_versions, growth_by_tables])
@pytest.mark.parametrize("sink", ["discard", "file"])
def test_what_is_gone_takes_no_memory(place, sink, growth):
    environment = place.environment(source_snapshot_mode="never", source_tables_refresh_secs="1")
    with Capture(environment, slot=place.slot, sink=sink) as capture:
        capture.wait_streaming()
        grown = growth(place.server, place.db, capture)
        capture.stop()
    print(f"{sink}, {growth.__name__}: {grown:.1f} MiB")
    assert grown < GROWTH_MAX_MIB
