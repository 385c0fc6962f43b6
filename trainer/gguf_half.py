"""A GGUF file with its matrices in half precision: the same model, without what llama.cpp rounds in quantized
products.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from pathlib import Path


def write(source: Path, target: Path) -> None:
    """Write a GGUF file again, its matrices as 16-bit floats, all else as it is.

    Raises:
        ValueError, KeyError: the file is no GGUF, or its tensors are of a kind that is not known here.
    """
    import gguf

    reader = gguf.GGUFReader(source)
    architecture = reader.fields[gguf.Keys.General.ARCHITECTURE].contents()
    writer = gguf.GGUFWriter(target, architecture)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    # What the writer writes by itself, or what is no longer so.
    left = {gguf.Keys.General.ARCHITECTURE, gguf.Keys.General.FILE_TYPE}
    left |= {gguf.Keys.General.QUANTIZATION_VERSION}
    for name, field in reader.fields.items():
        if name not in left and not name.startswith("GGUF."):
            kind, *of = field.types
            writer.add_key_value(name, field.contents(), kind, of[-1] if of else None)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, values.astype("float16" if values.ndim > 1 else "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
