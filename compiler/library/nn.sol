// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// @title Neural networks over smartvm's DNN instructions.
/// @notice Each function is one or two instructions on the frame's Buffer, a sequence of signed 256-bit items that holds
/// one feature map at a time: a layer reads it and leaves its output in it. Maps are `[channel][row][column]`. Weights
/// are blocks of the contract's storage, named by a number.
///
///     import {NN, Network} from "smartvm/nn.sol";
///
///     contract Digits is Network {
///         function scores(bytes calldata picture) external view returns (int256[] memory) {
///             NN.load(picture, 2);                       // 1x28x28 items of two bytes, times 1,000
///             NN.conv2d(2, 1, 6, 28, 28, 5, 1, 0);       // -> 6x24x24, weights in block 2
///             NN.biasAndScale(3, 1000);                  // biases in block 3
///             NN.relu();
///             NN.maxPool(6, 24, 24, 2, 2);               // -> 6x12x12
///             NN.dense(4, 864, 10);                      // -> 10
///             NN.biasAndScale(5, 1000);
///             return NN.output(10);
///         }
///     }
///
/// A call with constant arguments compiles to the bare instruction (with the optimizer on). An instruction that cannot do
/// what it is told (another Buffer length, no such block, a window larger than its map) halts the frame, and the error
/// says what it expected and found. Reals are integers at a scale of your choice: 0.25 at the scale 1,000 is 250.
library NN {
    // --- into the Buffer and out of it -------------------------------------------------------------------------------

    /// @notice Appends items given as words: an array parameter of the contract's own function.
    function load(int256[] calldata items) internal pure {
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, items.offset, mul(items.length, 32))
            mtob(data, items.length)
        }
    }

    /// @notice Appends packed items of `width` bytes each (1 to 32), big-endian two's complement; bytes beyond the last
    /// whole item are left out.
    function load(bytes calldata items, uint256 width) internal pure {
        assembly ("memory-safe") {
            let data := mload(0x40)
            let count := div(items.length, width)
            let start := items.offset
            // in pieces: memory of megabytes would cost more than the items
            for {} gt(count, 16384) {} {
                let bytesOfPiece := mul(16384, width)
                calldatacopy(data, start, bytesOfPiece)
                mtob_pack(data, 16384, width)
                start := add(start, bytesOfPiece)
                count := sub(count, 16384)
            }
            calldatacopy(data, start, mul(count, width))
            mtob_pack(data, count, width)
        }
    }

    /// @notice Appends `count` words that stand in memory from byte `offset` on.
    function loadMemory(uint256 offset, uint256 count) internal pure {
        assembly ("memory-safe") {
            mtob(offset, count)
        }
    }

    /// @notice The first `count` items, which stay in the Buffer.
    function output(uint256 count) internal pure returns (int256[] memory items) {
        items = new int256[](count);
        assembly ("memory-safe") {
            btom(add(items, 32), count)
        }
    }

    /// @notice Copies the first `count` items, which stay in the Buffer, to memory from byte `offset` on, as words.
    function storeMemory(uint256 offset, uint256 count) internal pure {
        assembly ("memory-safe") {
            btom(offset, count)
        }
    }

    /// @notice The place of the greatest of some scores; of several the first.
    function argmax(int256[] memory scores) internal pure returns (uint256 place) {
        for (uint256 i = 1; i < scores.length; i++) {
            if (scores[i] > scores[place]) place = i;
        }
    }

    // --- layers ------------------------------------------------------------------------------------------------------

    /// @notice Convolution of `inChannels` maps to `outChannels` maps (not flipped, as in every framework):
    /// `inChannels`x`height`x`width` -> `outChannels`x`H`x`W`, H = (height + 2 * padding - kernel) / stride + 1.
    /// @param weights Block of `outChannels` * `inChannels` * `kernel` * `kernel` items, `[out][in][row][column]`.
    function conv2d(
        uint256 weights,
        uint256 inChannels,
        uint256 outChannels,
        uint256 height,
        uint256 width,
        uint256 kernel,
        uint256 stride,
        uint256 padding
    ) internal view {
        assembly ("memory-safe") {
            conv_mul(weights, inChannels, outChannels, height, width, kernel, stride, padding)
        }
    }

    /// @notice Convolution of each map by its own kernel: `channels`x`height`x`width` -> `channels`x`H`x`W`.
    /// @param weights Block of `channels` * `kernel` * `kernel` items, `[channel][row][column]`.
    function depthwiseConv2d(
        uint256 weights,
        uint256 channels,
        uint256 height,
        uint256 width,
        uint256 kernel,
        uint256 stride,
        uint256 padding
    ) internal view {
        assembly ("memory-safe") {
            conv_sing(weights, channels, channels, height, width, kernel, stride, padding)
        }
    }

    /// @notice Convolution in three directions with cubic kernels; maps are `[channel][depth][row][column]`, as wide as
    /// high: `inChannels`x`depth`x`height`x`height` -> `outChannels`x`D`x`H`x`H`.
    /// @param weights Block `[out][in][depth][row][column]`.
    function conv3d(
        uint256 weights,
        uint256 inChannels,
        uint256 outChannels,
        uint256 depth,
        uint256 height,
        uint256 kernel,
        uint256 stride,
        uint256 padding
    ) internal view {
        assembly ("memory-safe") {
            conv_3d(weights, inChannels, outChannels, depth, height, kernel, stride, padding)
        }
    }

    /// @notice Transposed convolution: `inChannels`x`height`x`width` -> `outChannels`x`H`x`W`,
    /// H = (height - 1) * stride - 2 * padding + kernel.
    /// @param weights Block `[in][out][row][column]`.
    function transposedConv2d(
        uint256 weights,
        uint256 inChannels,
        uint256 outChannels,
        uint256 height,
        uint256 width,
        uint256 kernel,
        uint256 stride,
        uint256 padding
    ) internal view {
        assembly ("memory-safe") {
            conv_tpd(weights, inChannels, outChannels, height, width, kernel, stride, padding)
        }
    }

    /// @notice Fully connected layer: `inputs` -> `outputs`.
    /// @param weights Block of `outputs` * `inputs` items, `[out][in]`.
    function dense(uint256 weights, uint256 inputs, uint256 outputs) internal view {
        assembly ("memory-safe") {
            full_con(weights, inputs, 1, 1, outputs)
        }
    }

    /// @notice Fully connected layer over maps: `channels`x`height`x`width` -> `outputs`.
    /// @param weights Block `[out][channel][row][column]`.
    function dense(uint256 weights, uint256 channels, uint256 height, uint256 width, uint256 outputs) internal view {
        assembly ("memory-safe") {
            full_con(weights, channels, height, width, outputs)
        }
    }

    /// @notice Fully connected layer whose weights are too many for one block: `parts` blocks from `weights` on, each for
    /// `outputs` / `parts` outputs (a number that `parts` divides): `inputs` -> `outputs`.
    function denseInParts(uint256 weights, uint256 inputs, uint256 outputs, uint256 parts) internal view {
        uint256 last = weights + parts - 1;
        for (uint256 part = weights; part < last; part++) {
            save();
            dense(part, inputs, outputs / parts);
            swap();
        }
        dense(last, inputs, outputs / parts);
        for (uint256 part = weights; part < last; part++) prependSaved();
    }

    /// @notice The greatest item of each window: `channels`x`height`x`width` -> `channels`x`H`x`W`,
    /// H = (height - window) / stride + 1.
    function maxPool(uint256 channels, uint256 height, uint256 width, uint256 window, uint256 stride) internal pure {
        assembly ("memory-safe") {
            pool_max(channels, height, width, window, stride)
        }
    }

    /// @notice The greatest item of overlapping windows of square maps; padded cells never win:
    /// `channels`x`side`x`side` -> `channels`x`S`x`S`, S = (side + 2 * padding - window) / stride + 1.
    function overlappingMaxPool(uint256 channels, uint256 side, uint256 window, uint256 stride, uint256 padding)
        internal
        pure
    {
        assembly ("memory-safe") {
            pool_ol(channels, side, window, stride, padding)
        }
    }

    /// @notice The mean of each window, truncated toward zero; shapes as in `maxPool`.
    function averagePool(uint256 channels, uint256 height, uint256 width, uint256 window, uint256 stride)
        internal
        pure
    {
        assembly ("memory-safe") {
            pool_avg(channels, height, width, window, stride)
        }
    }

    /// @notice The mean of each square map: `channels`x`side`x`side` -> `channels`.
    function globalAveragePool(uint256 channels, uint256 side) internal pure {
        assembly ("memory-safe") {
            pool_avg(channels, side, side, side, side)
        }
    }

    /// @notice The Buffer becomes the product of two matrices in memory, each as rows, columns, then its words.
    function matrixProduct(uint256 a, uint256 b) internal pure {
        assembly ("memory-safe") {
            mat_mul(a, b)
        }
    }

    // --- activations -------------------------------------------------------------------------------------------------

    /// @notice max(x, 0).
    function relu() internal pure {
        assembly ("memory-safe") {
            act_rl(0)
        }
    }

    /// @notice x between 0 and `cap`.
    function cappedRelu(uint256 cap) internal pure {
        assembly ("memory-safe") {
            act_rl(cap)
        }
    }

    /// @notice x between 0 and 6 at scale `scale`.
    function relu6(uint256 scale) internal pure {
        assembly ("memory-safe") {
            act_rl(mul(6, scale))
        }
    }

    /// @notice 1 / (1 + e^-x) at scale `scale`, correctly rounded.
    function sigmoid(uint256 scale) internal pure {
        assembly ("memory-safe") {
            act_sm1(scale)
        }
    }

    /// @notice tanh(x) at scale `scale`, correctly rounded.
    function tanh(uint256 scale) internal pure {
        assembly ("memory-safe") {
            act_tanh(scale)
        }
    }

    /// @notice Softmax over the whole Buffer at scale `scale`, correctly rounded.
    function softmax(uint256 scale) internal pure {
        assembly ("memory-safe") {
            act_sm0(scale)
        }
    }

    // --- arithmetic --------------------------------------------------------------------------------------------------

    /// @notice Adds the biases of block `biases`: of B items, each to its share of the Buffer, one after the other (one
    /// for each channel, or for each output of a dense layer).
    function bias(uint256 biases) internal view {
        assembly ("memory-safe") {
            buf_bias(biases)
        }
    }

    /// @notice x * `factor`.
    function scaleUp(uint256 factor) internal pure {
        assembly ("memory-safe") {
            buf_scl0(factor)
        }
    }

    /// @notice x / `divisor`, truncated toward zero.
    function scaleDown(uint256 divisor) internal pure {
        assembly ("memory-safe") {
            buf_scl1(divisor)
        }
    }

    /// @notice What follows a layer of products: adds the biases of block `biases`, which have the products' scale, and
    /// divides by `scale`.
    function biasAndScale(uint256 biases, uint256 scale) internal view {
        assembly ("memory-safe") {
            buf_bias(biases)
            buf_scl1(scale)
        }
    }

    // --- saved Buffers: skip connections and gates -------------------------------------------------------------------

    /// @notice Saves a copy of the Buffer on top of the saved ones (64 at most).
    function save() internal pure {
        assembly ("memory-safe") {
            buf_copy(0, buf_size())
        }
    }

    /// @notice Saves a copy of the items `start` ... `end` - 1.
    function save(uint256 start, uint256 end) internal pure {
        assembly ("memory-safe") {
            buf_copy(start, end)
        }
    }

    /// @notice Exchanges the Buffer and the one saved last.
    function swap() internal pure {
        assembly ("memory-safe") {
            buf_swap()
        }
    }

    /// @notice Adds the Buffer saved last, of the same length, item by item, and drops it.
    function addSaved() internal pure {
        assembly ("memory-safe") {
            buf_add()
        }
    }

    /// @notice Multiplies by the Buffer saved last likewise; divide by the scale afterwards.
    function multiplySaved() internal pure {
        assembly ("memory-safe") {
            buf_mul()
        }
    }

    /// @notice The Buffer saved last, which is dropped, followed by the Buffer.
    function prependSaved() internal pure {
        assembly ("memory-safe") {
            buf_cat()
        }
    }

    // --- the Buffer itself -------------------------------------------------------------------------------------------

    /// @notice How many items the Buffer holds.
    function size() internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := buf_size()
        }
    }

    /// @notice The Buffer becomes `count` zeros; 0 empties it.
    function reset(uint256 count) internal pure {
        assembly ("memory-safe") {
            buf_init(count)
        }
    }

    /// @notice Appends `count` zeros.
    function appendZeros(uint256 count) internal pure {
        assembly ("memory-safe") {
            buf_allo(count)
        }
    }

    /// @notice Drops the last `count` items.
    function dropLast(uint256 count) internal pure {
        assembly ("memory-safe") {
            buf_free(count)
        }
    }

    /// @notice The first `count` items become 0.
    function clearFirst(uint256 count) internal pure {
        assembly ("memory-safe") {
            buf_cls(count)
        }
    }

    /// @notice Every item becomes `value`.
    function fill(int256 value) internal pure {
        assembly ("memory-safe") {
            buf_fil(value)
        }
    }

    // --- weight blocks -----------------------------------------------------------------------------------------------

    /// @notice Stores the first `count` items as block `id`.
    function storeBlock(uint256 id, uint256 count) internal {
        assembly ("memory-safe") {
            btos1(id, count)
        }
    }

    /// @notice Deletes block `id`.
    function deleteBlock(uint256 id) internal {
        assembly ("memory-safe") {
            btos1(id, 0)
        }
    }
}

/// @title A contract whose owner uploads its weight blocks.
abstract contract Network {
    /// @notice Who deployed the contract and may upload.
    address public immutable owner = msg.sender;

    /// @notice Stores weight block `id`.
    /// @param width Bytes an item, 1 to 32.
    /// @param items The items, big-endian two's complement, without gaps.
    function upload(uint256 id, uint256 width, bytes calldata items) external {
        require(msg.sender == owner, "only the owner uploads");
        require(width > 0 && items.length % width == 0, "items of another width");
        NN.reset(0);
        NN.load(items, width);
        NN.storeBlock(id, items.length / width);
    }
}
