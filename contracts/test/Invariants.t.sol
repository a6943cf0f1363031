// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, PolicyConfig, PoolRule, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {Anchor, Decision} from "../src/interfaces/IDecisionAudit.sol";
import {INonfungiblePositionManager} from "../src/interfaces/IUniswap.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Whoever holds the agent's key does anything with it, in any order, while the market moves and time passes.
/// Nothing here reverts: what the vault refuses is counted, so that a run in which nothing happens would show.
contract Adversary is VaultFixture {
    uint120 public constant PER_DAY = 200 ether;

    /// What the audit must have come to, by our own count.
    uint256 public records;
    uint64 public nextSequence;
    bytes32 public lastDigest;
    uint256 public refused;

    struct Spending {
        uint256 at;
        uint256 amount;
    }

    Spending[] private spendings;

    function open() external {
        VaultFixture.setUp();
        PolicyConfig memory policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), 60 ether, PER_DAY, NO_CAP);
        policy.tokens[1] = TokenRule(address(weth), NO_CAP, NO_CAP, NO_CAP);
        policy.pools[0] = PoolRule(address(pool), 0, 0);
        _setPolicy(policy);
        vm.warp(vm.getBlockTimestamp() + 300);
    }

    function swap(uint256 amount, bool sellDollars) external {
        address tokenIn = sellDollars ? address(usd) : address(weth);
        address tokenOut = sellDollars ? address(weth) : address(usd);
        amount = within(amount, 0, 120 ether);
        _try(_swapCall(_swapParams(tokenIn, tokenOut, address(vault), amount)), agentKey);
    }

    function swapForSomeoneElse(uint256 amount, address recipient, address caller) external {
        if (recipient == address(vault)) recipient = thief;
        amount = within(amount, 1, 50 ether);
        uint256 before = records;
        _try(_swapCall(_swapParams(address(usd), address(weth), recipient, amount)), _keyOr(caller));
        assertEq(records, before, "records of a theft");
    }

    function provide(uint256 amount, int24 lower) external {
        lower = int24(int256(within(uint24(lower), 0, 200)) - 100) * 10;
        amount = within(amount, 1 gwei, 80 ether);
        _try(_mintCall(_mintParams(address(usd), address(vault), lower, lower + 500, amount)), agentKey);
    }

    function stealAPosition(uint256 positionId, address recipient) external {
        positionId = within(positionId, 1, 50);
        if (recipient == address(vault)) recipient = thief;
        INonfungiblePositionManager.CollectParams memory params = INonfungiblePositionManager.CollectParams(
            positionId, recipient, type(uint128).max, type(uint128).max
        );
        uint256 before = records;
        _try(_one(address(manager), abi.encodeCall(INonfungiblePositionManager.collect, (params))), agentKey);
        assertEq(records, before, "records of a theft");
    }

    function callAnything(address target, bytes calldata data) external {
        uint256 before = records;
        _try(_one(target, data), agentKey);
        assertEq(records, before, "records of an unknown call");
    }

    function anchorHolds(uint32 count, bytes32 root, bytes32 last) external {
        Anchor memory pending = Anchor(root, nextSequence, uint32(within(count, 0, 1000)), last);
        vm.prank(agentKey);
        try vault.anchor(pending) {
            nextSequence += pending.count;
            lastDigest = last;
        } catch {
            ++refused;
        }
    }

    function moveTheMarket(uint256 amount, bool up) external {
        (address from, address to) = up ? (address(usd), address(weth)) : (address(weth), address(usd));
        _someoneSwaps(from, to, within(amount, 1 ether, 5_000 ether));
    }

    function wait(uint32 time) external {
        vm.warp(vm.getBlockTimestamp() + within(time, 1, 6 hours));
        vm.roll(vm.getBlockNumber() + 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }

    function _try(Call[] memory calls, address caller) private {
        Decision memory decision = _decide(calls);
        bytes32 digest = audit.digestOf(decision);
        uint256 before = usd.balanceOf(address(vault));
        vm.prank(caller);
        try vault.execute(_nothing(), decision, PAYLOAD, calls) {
            ++records;
            ++nextSequence;
            lastDigest = digest;
            uint256 left = usd.balanceOf(address(vault));
            if (left < before) spendings.push(Spending(vm.getBlockTimestamp(), before - left));
        } catch {
            ++refused;
        }
    }

    function _keyOr(address caller) private view returns (address) {
        return uint160(caller) % 2 == 0 ? agentKey : caller;
    }

    // What must hold, whatever happened

    /// @dev Each execution has one record, and the chain of decisions has no gap.
    function checkRecords() external view {
        (, uint64 next, bytes32 last, uint256 held) = audit.agentOf(agentId);
        assertEq(audit.totalSupply(), records, "records in the audit");
        assertEq(held, records, "records of the vault");
        assertEq(next, nextSequence, "the next sequence");
        assertEq(last, lastDigest, "the chain's head");
    }

    function checkAllowances() external view {
        address[2] memory spenders = [address(router), address(manager)];
        for (uint256 i = 0; i < spenders.length; ++i) {
            assertEq(usd.allowance(address(vault), spenders[i]), 0, "dollars somebody may take");
            assertEq(weth.allowance(address(vault), spenders[i]), 0, "ether somebody may take");
        }
    }

    function checkDailyCap() external view {
        for (uint256 start = 0; start < spendings.length; ++start) {
            uint256 total = 0;
            for (uint256 i = start; i < spendings.length; ++i) {
                if (spendings[i].at >= spendings[start].at + 1 days) break;
                total += spendings[i].amount;
            }
            assertAtMost(total, PER_DAY, "dollars spent in 24 hours");
        }
    }

    /// @dev Nobody the agent could have named is richer, and nobody else may move what the vault owns.
    function checkFunds() external view {
        assertEq(usd.balanceOf(thief) + weth.balanceOf(thief), 0, "the thief's gains");
        assertEq(usd.balanceOf(agentKey) + weth.balanceOf(agentKey), 0, "the key's gains");
        assertEq(usd.balanceOf(address(router)) + weth.balanceOf(address(router)), 0, "left with the router");
        assertEq(
            usd.balanceOf(address(manager)) + weth.balanceOf(address(manager)), 0, "left with the manager"
        );
    }
}

contract InvariantsTest {
    Adversary private adversary;

    function setUp() public {
        adversary = new Adversary();
        adversary.open();
    }

    /// @dev The fuzzer calls the adversary, and only what it does: `open` and the checks aren't its to call.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(adversary);
        targets[0].selectors = new bytes4[](8);
        targets[0].selectors[0] = Adversary.swap.selector;
        targets[0].selectors[1] = Adversary.swapForSomeoneElse.selector;
        targets[0].selectors[2] = Adversary.provide.selector;
        targets[0].selectors[3] = Adversary.stealAPosition.selector;
        targets[0].selectors[4] = Adversary.callAnything.selector;
        targets[0].selectors[5] = Adversary.anchorHolds.selector;
        targets[0].selectors[6] = Adversary.moveTheMarket.selector;
        targets[0].selectors[7] = Adversary.wait.selector;
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(adversary);
    }

    /// @dev Without this the invariants could hold because nothing ever happened.
    function test_TheAdversaryGetsThroughWhereItMay() public {
        adversary.swap(1 ether, true);
        adversary.provide(1 ether, 0);
        adversary.anchorHolds(3, keccak256("root"), keccak256("last"));
        adversary.moveTheMarket(100 ether, true);
        adversary.wait(60);
        adversary.swap(1 ether, false);
        require(adversary.records() == 3 && adversary.refused() == 0, "what it may do");
        adversary.swapForSomeoneElse(1 ether, address(1), address(2));
        adversary.stealAPosition(2, address(1));
        adversary.callAnything(address(1), "");
        require(adversary.records() == 3 && adversary.refused() == 3, "what it may not do");
    }

    function invariant_EveryExecutionHasItsRecord() public view {
        adversary.checkRecords();
    }

    function invariant_NoAllowanceIsLeft() public view {
        adversary.checkAllowances();
    }

    function invariant_ADaysSpendingIsWithinItsCap() public view {
        adversary.checkDailyCap();
    }

    function invariant_FundsStayWithTheVault() public view {
        adversary.checkFunds();
    }
}
