"""Recordings as files: their layout as far as tests look into it, and small ones for fuzzing."""
import struct

PAGE = 4096
# of struct nsd_record_part, in the order of shim/record/format.h
PART = ["state", "size", "tables", "tables_size", "kept", "kept_size", "blocks"]
COUNTS = ["tables_used", "kept_count", "written", "overwritten", "unnamed", "keeping",
          "more_tables", "more_tables_size", "more_tables_used"]
BLOCK = 4096
KEPT = 440  # bytes of struct nsd_kept


def read_part(data, at=PAGE):
    """The part's header as a dict."""
    part = dict(zip(PART, struct.unpack_from("=7Q", data, at)))
    part["block_count"], part["head_blocks"] = struct.unpack_from("=2I", data, at + 56)
    part.update(zip(COUNTS, struct.unpack_from("=9Q", data, at + 64)))
    return part


def blocks(data, at=PAGE):
    """(sequence, first, used) of each block in use."""
    part = read_part(data, at)
    rows = [struct.unpack_from("=3Q", data, at + part["blocks"] + i * BLOCK)
            for i in range(part["block_count"])]
    return [row for row in rows if row[0] != 0]


def compact(data):
    """The same recording without what is not in use, and without slices: a few pages."""
    part = read_part(data)
    used = len(blocks(data))
    if part["overwritten"]:
        used = part["block_count"]
    tables = data[PAGE + part["tables"]:PAGE + part["tables"] + part["tables_used"]]
    kept = b""
    if part["kept_count"]:
        kept = data[PAGE + part["kept"]:PAGE + part["kept"] + part["kept_size"]]
        kept = kept[:part["kept_count"] * KEPT]
    events = data[PAGE + part["blocks"]:PAGE + part["blocks"] + used * BLOCK]
    head = bytearray(data[PAGE:2 * PAGE])
    offsets = [PAGE, len(tables), PAGE + len(tables), len(kept), PAGE + len(tables) + len(kept)]
    struct.pack_into("=5Q", head, 16, *offsets)
    struct.pack_into("=2I", head, 56, used, min(part["head_blocks"], used - 1) if used else 0)
    struct.pack_into("=3Q", head, 112, 0, 0, 0)  # what the tables went on in
    body = bytes(head) + tables + kept + events
    file = bytearray(data[:PAGE])
    struct.pack_into("=4Q", file, 24, PAGE + len(body), len(body), 0, 0)
    return bytes(file) + body


SOCKET, SETNS = "SOCKET", "SETNS"


def calls():
    """Names of the calls in the order of their numbers, from the table that the library has."""
    import re
    from . import settings
    text = (settings.ROOT / "shim/ledger/calls.h").read_text()
    table = text[text.index("#define NSD_CALL_TABLE"):text.index("enum nsd_call {")]
    return re.findall(r"\bX\((\w+), \"", table)


EVENT, EVENT_RECORD = 5, "=Q5Qqq3QiiIHH4BI3B5x"  # struct nsd_record_event behind its head
FIELDS = ["lock_epoch", "stack", "stack_pointer", "tid", "other_tid", "token", "call", "kinds", "runtime",
          "lock", "path_owner", "identities", "kernel_threads", "from_descriptor", "explicit_end",
          "cancelled"]
IDENTITY = "=QQII"  # struct nsd_identity


def whole_events(data, at=PAGE):
    """Each event that is there, oldest first, as a dict; of its identities the kinds. Read by hand, so
    that the product's own reader is held against something."""
    part, names, found = read_part(data, at), calls(), []
    rows = []
    for i in range(part["block_count"]):
        start = at + part["blocks"] + i * BLOCK
        sequence, _, used = struct.unpack_from("=3Q", data, start)
        if sequence:
            rows.append((sequence, start, used))
    for _, start, used in sorted(rows):
        offset = 24
        while offset < used:
            size, kind, count = struct.unpack_from("=IHH", data, start + offset)
            if kind == EVENT:
                values = struct.unpack_from(EVENT_RECORD, data, start + offset + 8)
                event = dict(zip(FIELDS, values[8:]), arguments=values[1:6], result=values[6],
                             goroutine=values[7])
                first = start + offset + 8 + struct.calcsize(EVENT_RECORD)
                event["call"] = names[event["call"]]
                event["identities"] = [struct.unpack_from(IDENTITY, data, first + 24 * i)[3]
                                       for i in range(count)]
                found.append(event)
            offset += size
        assert offset == used, "a record that is cut"
    return found


def events(data, at=PAGE):
    """The same as (call, tid, arguments, result)."""
    return [(event["call"], event["tid"], event["arguments"], event["result"])
            for event in whole_events(data, at)]
