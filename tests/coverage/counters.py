"""What a coverage build has counted: makes the counters file of a binary (reset) and reads it back
as lines and functions of the source (read). LLVM's own tools do the reading; this file only puts
together the raw profile that LLVM's runtime would have written, from the tables in the binary and
the counters in the file."""
import json
import struct
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

# compiler-rt, profile/InstrProfData.inc: magic and version of a raw profile of LLVM 13 and 14, and
# the size of a record in __llvm_prf_data.
MAGIC = int.from_bytes(b"\xfflprofr\x81", "big")
VERSION = 8
RECORD = 48
LAST_VALUE_KIND = 1


@dataclass
class File:
    lines: dict = field(default_factory=dict)      # number: how often it ran
    functions: dict = field(default_factory=dict)  # (first line, name): how often it was entered


def sections(binary):
    """Name: (address, contents) of an ELF file."""
    image = binary.read_bytes()
    at, = struct.unpack_from("<Q", image, 0x28)
    size, count, names = struct.unpack_from("<HHH", image, 0x3a)
    headers = [struct.unpack_from("<IIQQQQIIQQ", image, at + i * size) for i in range(count)]
    strings = headers[names][4]
    found = {}
    for name, kind, _, address, offset, length, *_ in headers:
        start = strings + name
        word = image[start:image.index(b"\0", start)].decode()
        found[word] = (address, b"" if kind == 8 else image[offset:offset + length])
    return found


def counters_of(binary):
    """Where shared_counters.c looks for them."""
    return binary.with_name(binary.name + ".counters")


def reset(binary):
    """An empty counters file of the size that the binary expects, for every user."""
    path = counters_of(binary)
    path.unlink(missing_ok=True)
    path.write_bytes(bytes(len(sections(binary)["__llvm_prf_cnts"][1])))
    path.chmod(0o666)


def raw_profile(binary):
    parts = sections(binary)
    data_at, data = parts["__llvm_prf_data"]
    counters_at, expected = parts["__llvm_prf_cnts"]
    names = parts["__llvm_prf_names"][1]
    counters = counters_of(binary).read_bytes()
    if len(counters) != len(expected):
        raise SystemExit(f"{counters_of(binary)} is of another build")
    if len(data) % RECORD:
        raise SystemExit(f"{binary}: its records are not those of raw profile version {VERSION}")
    header = struct.pack("<11Q", MAGIC, VERSION, 0, len(data) // RECORD, 0, len(counters) // 8, 0,
                         len(names), (counters_at - data_at) % 2**64, 0, LAST_VALUE_KIND)
    return header + data + counters + names + bytes(-len(names) % 8)


def llvm_tool(name):
    """The tool of clang's own release: only it is sure to know clang's tables."""
    return subprocess.run(["clang", f"-print-prog-name={name}"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def export(binary, merged, kind):
    return subprocess.run([llvm_tool("llvm-cov"), "export", f"--format={kind}",
                           f"--instr-profile={merged}", binary], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def read(binary, root):
    """Path below root: File, of everything that the binary was made of."""
    raw, merged = (binary.with_name(binary.name + end) for end in (".profraw", ".profdata"))
    raw.write_bytes(raw_profile(binary))
    subprocess.run([llvm_tool("llvm-profdata"), "merge", "-o", merged, raw], check=True)
    files = defaultdict(File)
    add_lines(files, export(binary, merged, "lcov"))
    add_functions(files, json.loads(export(binary, merged, "text"))["data"][0]["functions"])
    return {str(Path(path).relative_to(root)): file for path, file in files.items()
            if Path(path).is_relative_to(root)}


def add_lines(files, lcov):
    """geninfo(1), "TRACEFILE FORMAT"."""
    lines = {}
    for row in lcov.splitlines():
        word, _, rest = row.partition(":")
        if word == "SF":
            lines = files[rest].lines
        elif word == "DA":
            number, count = (int(part) for part in rest.split(",")[:2])
            lines[number] = max(lines.get(number, 0), count)


def add_functions(files, functions):
    """A function of a header stands there once for each file that includes it: it was entered if one
    of them was. A function that a macro makes stands where the macro is defined, and so do its
    lines, which have run if one of the macro's functions has."""
    for function in functions:
        # A region begins with first line, column, last line, column, count, file.
        line, _, _, _, _, file = function["regions"][0][:6]
        known = files[function["filenames"][file]].functions
        place = line, function["name"].rpartition(":")[2]
        known[place] = max(known.get(place, 0), function["count"])
