// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Ensembles as bytes, and the forecast written plainly, to hold the registry's walk against.
library Trees {
    struct Shape {
        uint256 trees;
        uint256 leaves;
        uint256 features;
        uint256 width;
        uint256 terms;
        uint8 shift;
    }

    /// @dev Trees that grow as LightGBM's do: a leaf is split, its number stays with the left child.
    function grown(Shape memory shape, uint256 seed) internal pure returns (bytes memory) {
        bytes memory head = abi.encodePacked(
            uint8(1),
            uint8(shape.width),
            uint16(shape.features),
            uint16(shape.trees),
            int64(uint64(_draw(seed, 1))),
            uint8(shape.terms),
            shape.shift
        );
        for (uint256 i = 0; i < shape.terms; ++i) {
            uint256 drawn = _draw(seed, 100 + i);
            head = bytes.concat(
                head, abi.encodePacked(uint8(drawn % shape.features), int64(uint64(drawn >> 8)))
            );
        }
        bytes memory counts = new bytes(shape.trees);
        bytes memory bodies;
        for (uint256 i = 0; i < shape.trees; ++i) {
            counts[i] = bytes1(uint8(shape.leaves - 1));
            bodies = bytes.concat(bodies, _tree(shape, _draw(seed, 1_000 + i)));
        }
        return bytes.concat(head, counts, bodies);
    }

    /// @dev A row whose values stand close to zero, where the thresholds are.
    function row(uint256 features, uint256 seed) internal pure returns (int32[] memory values) {
        values = new int32[](features);
        for (uint256 i = 0; i < features; ++i) {
            values[i] = _near(_draw(seed, i));
        }
    }

    /// @dev The forecast, by the description alone.
    function forecast(bytes memory blob, int32[] memory values) internal pure returns (int256 total) {
        uint256 width = uint8(blob[1]);
        uint256 trees = _unsigned(blob, 4, 2);
        uint256 terms = uint8(blob[14]);
        int256 sum = 0;
        for (uint256 i = 0; i < terms; ++i) {
            uint256 at = 16 + 9 * i;
            sum += values[uint8(blob[at])] * _signed(blob, at + 1, 8);
        }
        total = _signed(blob, 6, 8) + (sum >> uint8(blob[15]));
        uint256 counts = 16 + 9 * terms;
        uint256 start = counts + trees;
        for (uint256 i = 0; i < trees; ++i) {
            uint256 nodes = uint8(blob[counts + i]);
            uint256 child = 0;
            while (child < 128) {
                uint256 node = start + 7 * child;
                bool left = values[uint8(blob[node + 4])] <= _signed(blob, node, 4);
                child = uint8(blob[node + (left ? 5 : 6)]);
            }
            uint256 leaves = start + 7 * nodes;
            total += _signed(blob, leaves + width * (child - 128), width);
            start = leaves + width * (nodes + 1);
        }
    }

    function _tree(Shape memory shape, uint256 seed) private pure returns (bytes memory body) {
        uint256 nodes = shape.leaves - 1;
        bytes memory children = new bytes(2 * nodes);
        for (uint256 node = 0; node < nodes; ++node) {
            uint256 split = _draw(seed, node) % (node + 1);
            for (uint256 i = 0; i < 2 * node; ++i) {
                if (uint8(children[i]) == 128 + split) {
                    children[i] = bytes1(uint8(node));
                    break;
                }
            }
            children[2 * node] = bytes1(uint8(128 + split));
            children[2 * node + 1] = bytes1(uint8(128 + node + 1));
        }
        for (uint256 node = 0; node < nodes; ++node) {
            uint256 drawn = _draw(seed, 200 + node);
            body = bytes.concat(
                body,
                abi.encodePacked(
                    _near(drawn >> 8),
                    uint8(drawn % shape.features),
                    children[2 * node],
                    children[2 * node + 1]
                )
            );
        }
        for (uint256 leaf = 0; leaf < shape.leaves; ++leaf) {
            bytes32 drawn = bytes32(_draw(seed, 400 + leaf));
            for (uint256 i = 0; i < shape.width; ++i) {
                body = bytes.concat(body, drawn[i]);
            }
        }
    }

    /// @dev Mostly small, so that values often equal thresholds; sometimes at the ends of an int32.
    function _near(uint256 drawn) private pure returns (int32) {
        if (drawn % 16 == 0) return type(int32).max;
        if (drawn % 16 == 1) return type(int32).min;
        return int32(uint32((drawn >> 4) % 9)) - 4;
    }

    function _draw(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function _unsigned(bytes memory blob, uint256 at, uint256 width) private pure returns (uint256 value) {
        for (uint256 i = 0; i < width; ++i) {
            value = (value << 8) | uint8(blob[at + i]);
        }
    }

    function _signed(bytes memory blob, uint256 at, uint256 width) private pure returns (int256) {
        int256 value = int256(_unsigned(blob, at, width));
        return uint8(blob[at]) < 128 ? value : value - int256(1 << (8 * width));
    }
}
