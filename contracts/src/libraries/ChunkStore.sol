// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Bytes kept as contract code
/// @notice A chunk is a contract that can't be called: a STOP, then the bytes. Reading code costs a fraction of
/// reading storage, and writing it a third.
library ChunkStore {
    /// @notice The most bytes a chunk holds: a contract's limit (EIP-170) less the STOP.
    uint256 internal constant MAX_SIZE = 24_575;

    /// @notice The chain refused to keep the bytes.
    error ChunkNotWritten();

    /// @notice Keep bytes.
    /// @dev The creation code copies what follows its ten bytes and returns it: PUSH2 size, DUP1, PUSH1 10,
    /// RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN.
    function write(bytes calldata content) internal returns (address chunk) {
        uint256 size = content.length + 1;
        bytes memory creation = abi.encodePacked(hex"61", uint16(size), hex"80600a3d393df300", content);
        assembly ("memory-safe") {
            chunk := create(0, add(creation, 32), mload(creation))
        }
        if (chunk == address(0)) revert ChunkNotWritten();
    }
}
