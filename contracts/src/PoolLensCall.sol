// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolLens} from "./PoolLens.sol";

/// @title The lens as creation code
/// @notice For nodes that know no state override: an eth_call that creates this contract creates the lens, asks it, and
/// reverts with what it said. What a constructor returns is limited and paid for as code; what it reverts with isn't.
contract PoolLensCall {
    /// @param query What the lens is called with.
    constructor(bytes memory query) {
        (, bytes memory answer) = address(new PoolLens()).staticcall(query);
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
