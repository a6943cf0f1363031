// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    BreakerRule,
    Call,
    IAgentVault,
    PolicyConfig,
    PoolRule,
    TokenRule
} from "../../src/interfaces/IAgentVault.sol";
import {Decision} from "../../src/interfaces/IDecisionAudit.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @dev Whoever holds the agent's key tries to steal. The vault has the limits that a run's vaults are made with: caps,
/// a bound on the price, a circuit breaker, a threshold for approvals. Each attempt fails, and what is the vault's
/// stays with it.
abstract contract AttackFixture is VaultFixture {
    uint256 internal constant OWNER_KEY = 0xB0B;
    uint120 internal constant PER_TRADE = 40 ether;
    uint120 internal constant PER_DAY = 200 ether;
    uint120 internal constant APPROVAL_ABOVE = 20 ether;
    uint24 internal constant DEVIATION = 100;

    function setUp() public virtual override {
        super.setUp();
        (agentId, vault) = _createOwned(_limited());
        _fund(vault);
        _wait(600);
    }

    function _limited() internal view returns (PolicyConfig memory policy) {
        policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), PER_TRADE, PER_DAY, APPROVAL_ABOVE);
        policy.tokens[1] = TokenRule(address(weth), PER_TRADE, PER_DAY, APPROVAL_ABOVE);
        policy.pools[0] = PoolRule(address(pool), 300, DEVIATION);
        policy.breaker = BreakerRule(address(usd), 2_000, 3_600);
    }

    function _createOwned(PolicyConfig memory policy) internal returns (uint256 id, IAgentVault created) {
        address at;
        (id, at) = factory.createVault(_owner(), agentKey, policy);
        created = IAgentVault(at);
    }

    function _owner() internal pure returns (address) {
        return vm.addr(OWNER_KEY);
    }

    function _approve(IAgentVault for_, Decision memory decision, uint256 deadline)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = for_.approvalDigest(audit.digestOf(decision), deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, digest);
        return abi.encodePacked(r, s, v);
    }

    function _approvalRefused(
        IAgentVault by,
        Decision memory decision,
        Call[] memory calls,
        uint256 deadline,
        bytes memory signature
    ) internal {
        bytes32 wanted = by.approvalDigest(audit.digestOf(decision), deadline);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotOwnersSignature.selector, wanted));
        by.executeApproved(_nothing(), decision, PAYLOAD, calls, deadline, signature);
    }

    function _refused(Call[] memory calls, bytes memory reason) internal {
        _executeReverts(calls, reason);
        _nothingStolen();
    }

    function _approvedRefused(Call[] memory calls, bytes memory reason) internal {
        Decision memory decision = _decide(calls);
        bytes memory signature = _approve(vault, decision, DEADLINE);
        vm.prank(agentKey);
        vm.expectRevert(reason);
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, signature);
    }

    function _nothingStolen() internal view {
        assertEq(usd.balanceOf(thief) + weth.balanceOf(thief), 0, "the thief's gains");
        assertEq(usd.balanceOf(agentKey) + weth.balanceOf(agentKey), 0, "the key's gains");
        assertEq(usd.balanceOf(address(vault)), FUNDS, "the vault's dollars");
        assertEq(weth.balanceOf(address(vault)), FUNDS, "the vault's ether");
    }

    /// @dev The least that may be asked for at an average price of one: 1.0001**-100, rounded up a little.
    function _least(uint256 amount) internal pure returns (uint256) {
        return amount * 990_050_328_742 / 1e12;
    }

    function _wait(uint256 time) internal {
        vm.warp(vm.getBlockTimestamp() + time);
        vm.roll(vm.getBlockNumber() + 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }
}
