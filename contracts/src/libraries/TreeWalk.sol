// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Exp2} from "./Exp2.sol";

/// @title A walk through boosted trees
/// @notice Sums one leaf of every tree, over the bytes that defai/models/blob.py describes. They start with a header
/// of 16 bytes: version u8, bytes of a leaf u8, features u16, trees u16, base i64, linear terms u8, linear shift u8.
library TreeWalk {
    /// @dev The sum is the forecast, or the forecast's binary logarithm.
    uint256 private constant SUM = 1;
    uint256 private constant LOGARITHM = 2;
    uint256 private constant HEADER_SIZE = 16;
    uint256 private constant TERM_SIZE = 9;
    uint256 private constant NODE_SIZE = 7;

    /// @notice The forecast for a row of features, times 2**24.
    /// @param at Where in memory the ensemble starts; `isFramed` holds for it, and a word behind it may be read.
    function predict(uint256 at, int32[] calldata features) internal pure returns (int256 total) {
        uint256 header = _word(at);
        uint256 table = _lineUp((header >> 224) & 0xffff, features);
        uint256 terms = (header >> 136) & 0xff;
        at += HEADER_SIZE;
        unchecked {
            total = int64(uint64(header >> 144));
            if (terms != 0) total += _linear(at, table, terms, (header >> 128) & 0xff);
            at += TERM_SIZE * terms;
            total += _trees(at, table, (header >> 208) & 0xffff, (header >> 240) & 0xff);
        }
        if (header >> 248 == LOGARITHM) total = Exp2.exp2(total);
    }

    /// @notice Whether an ensemble is as long as its header and its trees' own say.
    /// @param at Where in memory it starts.
    /// @param size How many bytes there are; a word behind them may be read.
    function isFramed(uint256 at, uint256 size) internal pure returns (bool) {
        if (size < HEADER_SIZE) return false;
        uint256 header = _word(at);
        uint256 width = (header >> 240) & 0xff;
        uint256 version = header >> 248;
        if ((version != SUM && version != LOGARITHM) || width == 0 || width > 32) return false;
        uint256 trees = (header >> 208) & 0xffff;
        uint256 counts = HEADER_SIZE + TERM_SIZE * ((header >> 136) & 0xff);
        uint256 needed = counts + trees;
        if (needed > size) return false;
        for (uint256 i = 0; i < trees; ++i) {
            uint256 nodes = _word(at + counts + i) >> 248;
            if (nodes == 0) return false;
            needed += NODE_SIZE * nodes + width * (nodes + 1);
        }
        return needed == size;
    }

    /// @dev Writes each feature into the upper four bytes of a word of its own: so a node's word, whose upper four bytes
    /// are its threshold, can be compared with it as it is. What follows the threshold only makes the node's word
    /// larger, and equal goes left.
    function _lineUp(uint256 needed, int32[] calldata features) private pure returns (uint256 table) {
        uint256 count = features.length;
        uint256 misfit;
        assembly ("memory-safe") {
            table := mload(0x40)
            let end := add(features.offset, shl(5, count))
            let to := table
            for { let from := features.offset } lt(from, end) { from := add(from, 32) } {
                let value := calldataload(from)
                misfit := or(misfit, xor(value, signextend(3, value)))
                mstore(to, shl(224, value))
                to := add(to, 32)
            }
            mstore(0x40, to)
        }
        if (count < needed) revert IModelRegistry.TooFewFeatures(needed, count);
        if (misfit != 0) revert IModelRegistry.FeatureOutOfRange();
    }

    /// @dev The sum of coefficients times features, shifted right with its sign, which rounds down.
    function _linear(uint256 at, uint256 table, uint256 terms, uint256 shift)
        private
        pure
        returns (int256 sum)
    {
        assembly ("memory-safe") {
            for {} terms { terms := sub(terms, 1) } {
                let term := mload(at)
                let value := sar(224, mload(add(table, shl(5, byte(0, term)))))
                sum := add(sum, mul(value, signextend(7, shr(184, term))))
                at := add(at, 9)
            }
            sum := sar(shift, sum)
        }
    }

    /// @dev A child is a node below 128, a leaf from there on. The loop's body is there four times, which saves jumps.
    /// @param at Where the trees' numbers of nodes start, a byte each; the trees stand behind them.
    /// @param table Where the features stand, a word each.
    /// @param width Bytes of a leaf.
    function _trees(uint256 at, uint256 table, uint256 trees, uint256 width)
        private
        pure
        returns (int256 sum)
    {
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            let counts := at
            let end := add(at, trees)
            at := end
            for {} lt(counts, end) { counts := add(counts, 1) } {
                let child := 0
                for { let node } 1 {} {
                    node := mload(add(at, mul(child, 7)))
                    child := byte(add(5, sgt(mload(add(table, shl(5, byte(4, node)))), node)), node)
                    if gt(child, 127) { break }
                    node := mload(add(at, mul(child, 7)))
                    child := byte(add(5, sgt(mload(add(table, shl(5, byte(4, node)))), node)), node)
                    if gt(child, 127) { break }
                    node := mload(add(at, mul(child, 7)))
                    child := byte(add(5, sgt(mload(add(table, shl(5, byte(4, node)))), node)), node)
                    if gt(child, 127) { break }
                    node := mload(add(at, mul(child, 7)))
                    child := byte(add(5, sgt(mload(add(table, shl(5, byte(4, node)))), node)), node)
                    if gt(child, 127) { break }
                }
                let nodes := byte(0, mload(counts))
                at := add(at, mul(nodes, 7))
                sum := add(sum, sar(shift, mload(add(at, mul(width, and(child, 127))))))
                at := add(at, mul(width, add(nodes, 1)))
            }
        }
    }

    function _word(uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(at)
        }
    }
}
