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
