"""Measures llama.cpp on the jobs in a JSON file, and prints its figures as one JSON object.

Called as `python peer.py JOBS`. Speaks to llama.cpp directly, so that the figures hold as little Python as can be.
"""

import ctypes
import json
import sys
import time

import llama_cpp as llama
import numpy as np

# Tokens of one call at most: the package's own default.
CHUNK = 512


@llama.llama_log_callback
def silent(level, text, data):
    """Takes llama.cpp's log; what is printed is for the caller to parse."""


class Context:
    """A llama.cpp context with a batch to fill."""

    def __init__(self, model, jobs, tokens, texts):
        params = llama.llama_context_default_params()
        room = (tokens + 255) // 256 * 256
        params.n_ctx = room * texts
        params.n_batch = CHUNK
        params.n_ubatch = CHUNK
        params.n_seq_max = texts
        params.n_threads = jobs["threads"]
        params.n_threads_batch = jobs["threads"]
        self.context = llama.llama_init_from_model(model, params)
        if not self.context:
            sys.exit("llama.cpp could not make a context")
        self.batch = llama.llama_batch_init(CHUNK, 0, 1)
        self.vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))

    def close(self):
        llama.llama_batch_free(self.batch)
        llama.llama_free(self.context)

    def clear(self):
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)

    def decode(self, rows):
        """Rows of (token, position, text, whether its logits are wanted)."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for at, (token, position, text, wanted) in enumerate(rows):
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = text
            batch.logits[at] = wanted
        code = llama.llama_decode(self.context, batch)
        if code != 0:
            sys.exit(f"llama.cpp gave up with code {code}")
        llama.llama_synchronize(self.context)

    def logits(self, at):
        row = llama.llama_get_logits_ith(self.context, at)
        return np.ctypeslib.as_array(row, shape=(self.vocabulary,))

    def all_logits(self, count):
        rows = llama.llama_get_logits(self.context)
        return np.ctypeslib.as_array(rows, shape=(count, self.vocabulary))

    def read(self, ids, text=0):
        """Reads a prompt; gives the likeliest next token."""
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            last = len(ids) - 1 - start
            self.decode([(id, start + n, text, n == last) for n, id in enumerate(part)])
        return int(np.argmax(self.logits(-1)))

    def steps(self, firsts, position, count):
        """Greedy steps of all texts at once; gives the seconds they take."""
        begin = time.perf_counter()
        tokens = list(firsts)
        for step in range(count):
            self.decode([(id, position + step, text, True) for text, id in enumerate(tokens)])
            tokens = [int(np.argmax(self.logits(at))) for at in range(len(tokens))]
        return time.perf_counter() - begin

    def score(self, ids, start):
        """Reads a known text; gives the log-probabilities of its tokens but the first."""
        found = []
        for at in range(0, len(ids) - 1, CHUNK):
            part = ids[at : min(at + CHUNK, len(ids) - 1)]
            self.decode([(id, start + at + n, 0, True) for n, id in enumerate(part)])
            rows = self.all_logits(len(part))
            top = rows.max(axis=1)
            total = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
            following = ids[at + 1 : at + 1 + len(part)]
            found.append(rows[np.arange(len(part)), following] - total)
        return np.concatenate(found)


def rss_mib():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def one_by_one(context, jobs, figures):
    for ids in jobs["prompts"]:
        context.clear()
        begin = time.perf_counter()
        first = context.read(ids)
        read = time.perf_counter() - begin
        length = len(ids)
        figures[f"prefill_{length}"] = length / read
        figures[f"ttft_{length}_ms"] = read * 1000
        seconds = context.steps([first], length, jobs["decode"])
        figures[f"decode_{length}"] = jobs["decode"] / seconds


def together(model, jobs, figures):
    for texts in jobs["batches"]:
        tokens = len(texts[0]) + jobs["decode"] + 1
        context = Context(model, jobs, tokens, len(texts))
        firsts = [context.read(ids, text) for text, ids in enumerate(texts)]
        seconds = context.steps(firsts, len(texts[0]), jobs["decode"])
        figures[f"batch_{len(texts)}"] = len(texts) * jobs["decode"] / seconds
        context.close()


def grounded(context, jobs, figures):
    tokens = seconds = 0
    for row in jobs["grounded"]:
        context.clear()
        context.read(row["prompt"])
        begin = time.perf_counter()
        context.score(row["text"], len(row["prompt"]))
        seconds += time.perf_counter() - begin
        tokens += len(row["text"])
    if seconds > 0:
        figures["scored"] = tokens / seconds


def main():
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    llama.llama_log_set(silent, ctypes.c_void_p(0))
    llama.llama_backend_init()
    begin = time.perf_counter()
    params = llama.llama_model_default_params()
    model = llama.llama_model_load_from_file(jobs["model"].encode(), params)
    if not model:
        sys.exit("llama.cpp could not load " + jobs["model"])
    context = Context(model, jobs, jobs["tokens"], 1)
    context.read([0] * 32)
    figures = {"load_ms": (time.perf_counter() - begin) * 1000}
    one_by_one(context, jobs, figures)
    grounded(context, jobs, figures)
    figures["rss_mib"] = rss_mib()
    context.close()
    together(model, jobs, figures)
    print(json.dumps({"version": llama.__version__, "figures": figures}))


main()
