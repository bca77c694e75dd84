"""Of what a library says, people see the cause."""

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.engine.library_text import LONGEST, one_line, why_not_opened

IR = (
    "[ONNXRuntimeError] : 1 : FAIL : /onnxruntime_src/onnxruntime/core/graph/model.cc:256 "
    "onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const "
    "onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const "
    "onnxruntime::ModelOptions&) Unsupported model IR version: 99, max supported IR version: 14\n"
)
OPSET = (
    "[ONNXRuntimeError] : 1 : FAIL : /onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void "
    "onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, "
    "int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support "
    "for models stamped with official released onnx opset versions. Opset 99 is under development and support for this "
    "is limited. The operator schemas and or other functionality may change before next ONNX release and in this case "
    "ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset "
    "28.\n"
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (IR, "Unsupported model IR version: 99, max supported IR version: 14"),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Exception during initialization: "
            "/onnxruntime_src/onnxruntime/core/optimizer/initializer.cc:79 "
            "onnxruntime::Initializer::Initializer(const onnxruntime::Graph&, const onnx::TensorProto&, const "
            "std::filesystem::__cxx11::path&, bool) [ONNXRuntimeError] : 1 : FAIL : tensorprotoutils.cc:1730 "
            "ValidateEmbeddedTensorProtoDataSizeAndShape Initializer 'smoothing': raw_data size (96 bytes) does not "
            "match expected size from shape and data type (100 bytes)\n",
            "Exception during initialization: Initializer 'smoothing': raw_data size (96 bytes) does not "
            "match expected size from shape and data type (100 bytes)",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Fatal error: evil:Evil(-1) is not a registered function/op",
            "Fatal error: evil:Evil(-1) is not a registered function/op",
        ),
        ("Type Error: Type parameter (T) of\nOptype (Sub)", "Type Error: Type parameter (T) of Optype (Sub)"),
    ],
)
def test_codes_and_signatures_are_left_out(said: str, shown: str) -> None:
    assert one_line(RuntimeError(said)) == shown


@given(st.text(max_size=2000))
def test_whatever_is_said_it_is_one_line_of_limited_length(said: str) -> None:
    shown = one_line(RuntimeError(said))
    assert len(shown) <= LONGEST
    assert "\n" not in shown


def test_a_long_text_keeps_its_end() -> None:
    shown = one_line(RuntimeError("beginning " + "x" * 1000 + " the cause"))
    assert shown.startswith("beginning ")
    assert shown.endswith(" the cause")


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        (IR, "its IR version is 99, this ONNX Runtime reads up to 14"),
        (OPSET, "its opset of ai.onnx is 99, this ONNX Runtime knows up to 28"),
    ],
)
def test_versions_that_are_too_new_are_told_with_the_remedy(said: str, facts: str) -> None:
    shown = why_not_opened(RuntimeError(said))
    assert shown.startswith(facts)
    assert shown.endswith("update onnxruntime")


def test_the_library_here_still_says_it_so(spot_model: "object") -> None:
    """The texts above are of one release; this asks the one that is installed."""
    import onnxruntime

    for change in ("ir", "opset"):
        model = onnx.load(str(spot_model))
        if change == "ir":
            model.ir_version = 99
        else:
            model.opset_import[0].version = 99
        with pytest.raises(Exception, match="99") as caught:
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        assert why_not_opened(caught.value).startswith("its ")
