// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BreakerRule, Call, PolicyConfig, PoolRule, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {Anchor, Decision} from "../src/interfaces/IDecisionAudit.sol";
import {ISwapRouter02} from "../src/interfaces/IUniswap.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev What a record costs, as its sender pays for it: calldata, the transaction itself and refunds included. The
/// figures stand in snapshots/Gas.json; what they are made of is in GAS.md.
contract GasTest is VaultFixture {
    uint32 private constant BATCH = 100;

    /// @dev Vault and trader have traded before, so that no slot is written for the first time but the record's own.
    function setUp() public override {
        super.setUp();
        _bareSwap("");
        _recordedSwap("", PAYLOAD);
    }

    function test_ARecordedSwap() public {
        uint256 bare = _bareSwap("a bare swap through the router");
        uint256 recorded = _recordedSwap("a recorded swap", PAYLOAD);
        vm.snapshotValue("Gas", "a recorded swap over a bare one", recorded - bare);
        assertAtMost(recorded - bare, 60_000, "gas of a record and of reading the call");
    }

    function test_AByteOfPayload() public {
        bytes memory long_ = new bytes(1_000 + PAYLOAD.length);
        for (uint256 i = 0; i < long_.length; ++i) {
            long_[i] = "x";
        }
        uint256 short_ = _recordedSwap("", PAYLOAD);
        uint256 more = _recordedSwap("", long_) - short_;
        vm.snapshotValue("Gas", "a byte of payload, times 1000", more);
        assertAtMost(more, 26_000, "gas of 1000 bytes of payload");
    }

    function test_ChecksAgainstCapsAndTheAveragePrice() public {
        uint256 plain = _recordedSwap("", PAYLOAD);
        PolicyConfig memory policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), 100 ether, 1_000 ether, NO_CAP);
        _setPolicy(policy);
        _recordedSwap("", PAYLOAD);
        uint256 capped = _recordedSwap("", PAYLOAD);
        vm.snapshotValue("Gas", "caps on a trade and a day", capped - plain);

        vm.warp(vm.getBlockTimestamp() + 400);
        policy.pools[0] = PoolRule(address(pool), 300, 200);
        _setPolicy(policy);
        // A pool that is traded in every block, as most are.
        for (uint256 i = 0; i < 30; ++i) {
            _bareSwap("");
        }
        // The fifth record fills a page of marks.
        _recordedSwap("a recorded swap with all limits that fills a page", PAYLOAD);
        uint256 bounded = _recordedSwap("a recorded swap with all limits", PAYLOAD);
        vm.snapshotValue("Gas", "a bound by the average price", bounded - capped);
        assertAtMost(bounded - plain, 30_000, "gas of all checks");
    }

    function test_ValuingTheVault() public {
        PolicyConfig memory policy = _policy();
        policy.pools[0] = PoolRule(address(pool), 300, 200);
        policy.breaker = BreakerRule(address(usd), 2_000, 3_600);
        _setPolicy(policy);
        vm.warp(vm.getBlockTimestamp() + 400);
        uint256 bare = _valuing();
        vm.snapshotValue("Gas", "valuing a vault of two tokens and a pool", bare);
        _open(4);
        uint256 more = _valuing();
        vm.snapshotValue("Gas", "valuing each of its positions", (more - bare) / 4);
        assertAtMost(more, 250_000, "gas of valuing a vault with four positions");
    }

    /// @dev What the first trade of an hour costs more than the one after it, in a pool that is traded in every block.
    function _valuing() private returns (uint256) {
        // Neither of them fills a page.
        while (audit.totalSupply() % 5 != 0) _recordedSwap("", PAYLOAD);
        vm.warp(vm.getBlockTimestamp() + 3_600);
        for (uint256 i = 0; i < 30; ++i) {
            _bareSwap("");
        }
        uint256 valued = _recordedSwap("", PAYLOAD);
        return valued - _recordedSwap("", PAYLOAD);
    }

    function _open(uint256 count) private {
        for (uint256 i = 1; i <= count; ++i) {
            int24 half = int24(int256(i)) * 100;
            _execute(_mintCall(_mintParams(address(usd), address(vault), -half, half, 1 ether)));
        }
    }

    function test_AnAnchoredHold() public {
        vm.prank(agentKey);
        vault.anchor(Anchor(keccak256("root"), 1, BATCH, keccak256("last")));
        _nextBlock();
        vm.prank(agentKey);
        vault.anchor(Anchor(keccak256("another root"), 1 + BATCH, BATCH, keccak256("another last")));
        uint256 batch = vm.snapshotGasLastCall("Gas", "an anchor of 100 holds");
        assertAtMost(batch / BATCH, 1_000, "gas of an anchored hold");
    }

    function test_ANewVault() public {
        PolicyConfig memory policy = _policy();
        factory.createVault(owner, agentKey, policy);
        assertAtMost(vm.snapshotGasLastCall("Gas", "a new vault"), 700_000, "gas of a vault");
    }

    /// @dev Each swap is the first in its block: that one writes the pool's observation.
    function _bareSwap(string memory name) private returns (uint256) {
        _nextBlock();
        _give(address(usd), trader, 1 ether);
        vm.prank(trader);
        usd.approve(address(router), type(uint256).max);
        vm.prank(trader);
        router.exactInputSingle(_swapParams(address(usd), address(weth), trader, 1 ether));
        return _measured(name);
    }

    function _recordedSwap(string memory name, bytes memory payload) private returns (uint256) {
        _nextBlock();
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0.99 ether);
        Decision memory decision = _decide(calls);
        decision.payloadDigest = keccak256(payload);
        vm.prank(agentKey);
        vault.execute(_nothing(), decision, payload, calls);
        return _measured(name);
    }

    /// @dev Without a name it is measured and not kept.
    function _measured(string memory name) private returns (uint256) {
        if (bytes(name).length != 0) return vm.snapshotGasLastCall("Gas", name);
        return vm.lastCallGas().gasTotalUsed;
    }

    function _nextBlock() private {
        vm.roll(vm.getBlockNumber() + 1);
        vm.warp(vm.getBlockTimestamp() + 12);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }
}
