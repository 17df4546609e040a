"""Figures that a test has counted or measured: shown at the end of a run, of tests that pass, too.

    figure("kills", "12, none missing")

They are properties of the test's report, so that they arrive from a worker of xdist, and in the JUnit file.
"""

PROPERTY = "figure"
_properties = []    # of the test that runs


def begin_test(properties):
    """By conftest: `properties` are those of the report."""
    global _properties
    _properties = properties


def figure(what, value):
    _properties.append((PROPERTY, f"{what}: {value}"))


def shown(reports):
    """The figures of these reports, in their order."""
    return [value for report in reports for name, value in report.user_properties if name == PROPERTY]
