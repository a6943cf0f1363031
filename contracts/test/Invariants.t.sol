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
    /// What the owner took out, and how often somebody else did.
    uint256 public withdrawn;
    uint256 public stolen;

    struct Spending {
        uint256 at;
        uint256 amount;
    }

    Spending[] private spendings;
    /// What the vault had when it last traded, or its owner last took something out.
    uint256 private dollars;
    uint256 private ether_;

    function open() external {
        VaultFixture.setUp();
        PolicyConfig memory policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), 60 ether, PER_DAY, NO_CAP);
        policy.tokens[1] = TokenRule(address(weth), NO_CAP, NO_CAP, NO_CAP);
        policy.pools[0] = PoolRule(address(pool), 0, 0);
        _setPolicy(policy);
        vm.warp(vm.getBlockTimestamp() + 300);
        _remember();
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

    function withdraw(uint256 amount, bool ofDollars) external {
        uint256 there = ofDollars ? usd.balanceOf(address(vault)) : weth.balanceOf(address(vault));
        amount = within(amount, 0, there / 100);
        address token = ofDollars ? address(usd) : address(weth);
        vm.prank(owner);
        vault.withdrawToken(token, owner, amount);
        withdrawn += amount;
        _remember();
    }

    function withdrawForSomeoneElse(uint256 amount, address caller) external {
        if (caller == owner) caller = agentKey;
        vm.prank(caller);
        try vault.withdrawToken(address(usd), caller, within(amount, 1, FUNDS)) {
            ++stolen;
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
            _remember();
        } catch {
            ++refused;
        }
    }

    function _remember() private {
        (dollars, ether_) = (usd.balanceOf(address(vault)), weth.balanceOf(address(vault)));
    }

    function _keyOr(address caller) private view returns (address) {
        return uint160(caller) % 2 == 0 ? agentKey : caller;
    }

    // What must hold, whatever happened

    /// @dev Each execution has one record: no more, no fewer.
    function checkRecords() external view {
        (,,, uint256 held) = audit.agentOf(agentId);
        assertEq(audit.totalSupply(), records, "records in the audit");
        assertEq(held, records, "records of the vault");
    }

    /// @dev The chain of decisions has no gap, holds included.
    function checkSequences() external view {
        (, uint64 next, bytes32 last,) = audit.agentOf(agentId);
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

    /// @dev What the vault has changes with its trades and its owner's withdrawals alone; and nobody whom the agent could
    /// have named is richer.
    function checkFunds() external view {
        assertEq(usd.balanceOf(address(vault)), dollars, "dollars since the last trade or withdrawal");
        assertEq(weth.balanceOf(address(vault)), ether_, "ether since the last trade or withdrawal");
        assertEq(usd.balanceOf(owner) + weth.balanceOf(owner), withdrawn, "what the owner took out");
        assertEq(stolen, 0, "withdrawals by others");
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
        targets[0].selectors = new bytes4[](10);
        targets[0].selectors[0] = Adversary.swap.selector;
        targets[0].selectors[1] = Adversary.swapForSomeoneElse.selector;
        targets[0].selectors[2] = Adversary.provide.selector;
        targets[0].selectors[3] = Adversary.stealAPosition.selector;
        targets[0].selectors[4] = Adversary.callAnything.selector;
        targets[0].selectors[5] = Adversary.anchorHolds.selector;
        targets[0].selectors[6] = Adversary.moveTheMarket.selector;
        targets[0].selectors[7] = Adversary.wait.selector;
        targets[0].selectors[8] = Adversary.withdraw.selector;
        targets[0].selectors[9] = Adversary.withdrawForSomeoneElse.selector;
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
        adversary.withdrawForSomeoneElse(1, address(2));
        require(adversary.records() == 3 && adversary.refused() == 4, "what it may not do");
        adversary.withdraw(1 ether, true);
        require(adversary.withdrawn() == 1 ether, "what the owner may do");
    }

    function invariant_EveryExecutedCallHasItsRecord() public view {
        adversary.checkRecords();
    }

    function invariant_SequencesHaveNoGap() public view {
        adversary.checkSequences();
    }

    function invariant_NoAllowanceIsLeft() public view {
        adversary.checkAllowances();
    }

    function invariant_ADaysSpendingIsWithinItsCapAcrossMidnight() public view {
        adversary.checkDailyCap();
    }

    function invariant_FundsLeaveOnlyToTheOwnerOrThroughAllowedCalls() public view {
        adversary.checkFunds();
    }
}
