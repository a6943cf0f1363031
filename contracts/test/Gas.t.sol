// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev What a record costs. The figures are kept in snapshots/, calldata and the transaction itself included.
contract GasTest is VaultFixture {
    /// @dev Both sides have traded before, so that no slot is written for the first time but the record's own.
    function setUp() public override {
        super.setUp();
        _someoneSwaps(address(usd), address(weth), 1 ether);
        _execute(_swapCall(1 ether));
        vm.roll(vm.getBlockNumber() + 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }

    function test_ARecordedSwapCostsLittleMoreThanABareOne() public {
        uint256 bare = _bareSwap();
        uint256 recorded = _recordedSwap("recorded swap");
        vm.snapshotValue("Gas", "recorded swap over bare swap", recorded - bare);
        assertAtMost(recorded - bare, 90_000, "gas of a record and the vault's checks");
    }

    function _bareSwap() private returns (uint256) {
        _give(address(usd), trader, 1 ether);
        vm.prank(trader);
        router.exactInputSingle(_swapParams(address(usd), address(weth), trader, 1 ether));
        return vm.snapshotGasLastCall("Gas", "bare swap");
    }

    function _recordedSwap(string memory name) private returns (uint256) {
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        return vm.snapshotGasLastCall("Gas", name);
    }
}
