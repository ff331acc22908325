"""Recordings as files: their layout as far as tests look into it, and small ones for fuzzing."""
import struct

PAGE = 4096
# of struct nsd_record_part, in the order of shim/record/format.h
PART = ["state", "size", "tables", "tables_size", "kept", "kept_size", "blocks"]
COUNTS = ["tables_used", "kept_count", "written", "overwritten", "unnamed", "keeping"]
BLOCK = 4096
KEPT = 440  # bytes of struct nsd_kept


def read_part(data, at=PAGE):
    """The part's header as a dict."""
    part = dict(zip(PART, struct.unpack_from("=7Q", data, at)))
    part["block_count"], part["head_blocks"] = struct.unpack_from("=2I", data, at + 56)
    part.update(zip(COUNTS, struct.unpack_from("=6Q", data, at + 64)))
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


def events(data, at=PAGE):
    """(call, tid, arguments, result) of each event that is there, oldest first; read by hand, so
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
            size, kind, _ = struct.unpack_from("=IHH", data, start + offset)
            if kind == 5:
                values = struct.unpack_from("=Q5Qqq3QiiIHH", data, start + offset + 8)
                found.append((names[values[14]], values[11], values[1:6], values[6]))
            offset += size
        assert offset == used, "a record that is cut"
    return found


EVENT, EVENT_RECORD = 5, "=IHHQ5Qqq3QiiIHH4BI4B4x"  # struct nsd_record_event
FIELDS = ["size", "type", "count", "time", "arguments", "result", "goroutine", "lock_epoch", "stack",
          "stack_pointer", "tid", "other_tid", "token", "call", "kinds", "runtime", "lock",
          "path_owner", "identities", "kernel_threads", "from_descriptor", "explicit_end", "cancelled"]
IDENTITY = "=QQII"  # struct nsd_identity


def events(data):
    """Each event of a recording that lost nothing, as a dict; of its identities the kinds."""
    part, found = read_part(data), []
    at = [PAGE + part["blocks"] + i * BLOCK for i in range(part["block_count"])]
    for block in sorted((b for b in at if struct.unpack_from("=Q", data, b)[0]),
                        key=lambda b: struct.unpack_from("=Q", data, b)[0]):
        offset, end = block + 24, block + struct.unpack_from("=Q", data, block + 16)[0]
        while offset < end:
            size, kind, count = struct.unpack_from("=IHH", data, offset)
            if kind == EVENT:
                row = list(struct.unpack_from(EVENT_RECORD, data, offset))
                row[4:9] = [[word - (1 << 64) if word >> 63 else word for word in row[4:9]]]
                event = dict(zip(FIELDS, row))
                first = offset + struct.calcsize(EVENT_RECORD)
                event["identities"] = [struct.unpack_from(IDENTITY, data, first + 24 * i)[3]
                                       for i in range(count)]
                found.append(event)
            offset += size
    return found
