"""Recognises an architecture by the names and shapes of its tensors, and knows the numerics of such weights."""
import collections
import re

from weights.tensors import ConvertError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# TensorFlow's Lite models normalise x, from 0 to 255, to (x - 127) / 128.
LITE = ((127 / 255,) * 3, (128 / 255,) * 3)

# (squeeze-and-excitation, blocks, channels of the last block) of each EfficientNet.
EFFICIENTNETS = {
    (True, 16, 320): "b0", (True, 23, 320): "b1", (True, 23, 352): "b2", (True, 26, 384): "b3",
    (True, 32, 448): "b4", (True, 39, 512): "b5", (True, 45, 576): "b6", (True, 55, 640): "b7",
    (False, 16, 320): "lite0", (False, 21, 320): "lite1", (False, 21, 352): "lite2", (False, 24, 384): "lite3",
    (False, 30, 448): "lite4",
}
RESNETS = {8: "resnet18", 16: "resnet34"}

Settings = collections.namedtuple("Settings", "architecture bn_eps padding mean std")


def convention_of(state):
    for name, convention in (("_conv_stem.weight", "lukemelas"), ("features.0.0.weight", "torchvision"),
                             ("conv_stem.weight", "timm"), ("conv1.weight", "resnet")):
        if name in state:
            return convention
    raise ConvertError("its tensors are not those of an EfficientNet or a ResNet; the first one is "
                       f"{next(iter(state))!r:.80}")


def architecture_of(state, convention):
    """Returns the architecture that names and shapes identify, without a prefix "tf_", or None."""
    if convention == "resnet":
        blocks = {m[0] for m in (re.match(r"layer\d+\.\d+\.", name) for name in state) if m}
        return None if any(".conv3." in name for name in state) else RESNETS.get(len(blocks))
    block, head, excite = {
        "lukemelas": (r"_blocks\.\d+\.", "_conv_head.weight", "._se_reduce."),
        "torchvision": (r"features\.\d+\.\d+\.block\.", "features.8.0.weight", ".fc1."),
        "timm": (r"blocks\.\d+\.\d+\.", "conv_head.weight", ".se."),
    }[convention]
    if head not in state or len(state[head].shape) != 4:
        return None
    blocks = {m[0] for m in (re.match(block, name) for name in state) if m}
    variant = EFFICIENTNETS.get((any(excite in name for name in state), len(blocks), state[head].shape[1]))
    return variant and "efficientnet_" + variant


def settings_of(state, asked):
    """Returns the architecture and the numerics of weights; `asked` is the architecture that the user gave, or None."""
    convention = convention_of(state)
    told = architecture_of(state, convention)
    if asked and told and asked.removeprefix("tf_") != told:
        raise ConvertError(f"its tensors are those of {told}, expected {asked}")
    if not asked and convention == "timm":
        raise ConvertError("timm names efficientnet_* and tf_efficientnet_* alike: choose one with --architecture")
    if not asked and not told:
        raise ConvertError("its architecture is unknown: name it with --architecture")
    lite = "_lite" in (asked or told)
    # Files with the names of lukemelas hold TensorFlow's weights. The Lite ones are called without the prefix tf_.
    tensorflow = convention == "lukemelas" or (asked or "").startswith("tf_")
    if asked:
        name = asked
    elif tensorflow and not lite:
        name = "tf_" + told
    else:
        name = told
    large_torchvision = convention == "torchvision" and name[-2:] in ("b5", "b6", "b7")
    return Settings(name, 1e-3 if tensorflow or large_torchvision else 1e-5, "same" if tensorflow else "symmetric",
                    *(LITE if lite and tensorflow else IMAGENET))
