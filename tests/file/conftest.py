"""A PostgreSQL server that the tests of this suite share, and a place for each: a database and a root."""

import pytest
from place import Place
from support.servers import PostgresServer


@pytest.fixture(scope="session")
def postgres():
    with PostgresServer("15") as server:
        yield server


@pytest.fixture
def place(postgres, tmp_path):
    with Place(postgres, tmp_path / "files") as made:
        yield made
