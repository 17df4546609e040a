"""What messages say, in short."""


def summary(messages, *operations):
    """(table, operation, id) of each message, in order."""
    return [(m["table"], m["op"], (m["after"] or m["before"] or {}).get("id")) for m in messages
            if not operations or m["op"] in operations]
