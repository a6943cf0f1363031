// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Call, IAgentVault, PolicyConfig, PoolRule, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {INonfungiblePositionManager} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {AttackFixture} from "./support/AttackFixture.sol";
import {SigningOwner, TetherLike, TrapCollection} from "./support/Malicious.sol";
import {IPoolSetup} from "./support/UniswapMarket.sol";

/// @dev Attempts on what is the owner's: the vault's address, his signature, his withdrawals, his change of the policy.
contract AttacksOnOwnersTest is AttackFixture {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    // The factory

    function test_FrontRunningAVaultWithAnotherKey() public {
        // The owner knows his vault's address, and has sent money there ahead.
        PolicyConfig memory policy = _limited();
        address awaited = factory.predictVault(owner, agentKey, policy);
        _give(address(usd), awaited, FUNDS);
        // The thief makes vaults of the owner's first: with a key of his own, with a policy that allows anything.
        (, address stolen) = factory.createVault(owner, thief, policy);
        (, address loose) = factory.createVault(owner, agentKey, _policy());
        (, address owned) = factory.createVault(thief, agentKey, policy);
        assertTrue(
            stolen != awaited && loose != awaited && owned != awaited, "none of them stands on the money"
        );
        (, address created) = factory.createVault(owner, agentKey, policy);
        assertEq(created, awaited, "the owner's vault still does");
        assertEq(usd.balanceOf(created), FUNDS, "with the money in it");
    }

    function test_FrontRunningAVaultWithTheSameWish() public {
        PolicyConfig memory policy = _limited();
        address awaited = factory.predictVault(owner, agentKey, policy);
        vm.prank(thief);
        (, address early) = factory.createVault(owner, agentKey, policy);
        assertEq(early, awaited, "it is the very vault that was wished for");
        assertEq(IAgentVault(early).owner(), owner, "the owner's");
        assertEq(IAgentVault(early).agentKey(), agentKey, "with his agent's key");
        (, address second) = factory.createVault(owner, agentKey, policy);
        assertTrue(second != early, "and he gets his own all the same");
    }

    // His signature

    function test_MalleableSignature() public {
        (Call[] memory calls, Decision memory decision) = _large();
        bytes32 digest = vault.approvalDigest(audit.digestOf(decision), DEADLINE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, digest);
        bytes32 mirrored = bytes32(ORDER - uint256(s));
        _approvalRefused(vault, decision, calls, DEADLINE, abi.encodePacked(r, mirrored, v == 27 ? 28 : 27));
        // Nor in the short form, which would be a second signature of the same.
        bytes32 short_ = bytes32(uint256(s) | (uint256(v - 27) << 255));
        _approvalRefused(vault, decision, calls, DEADLINE, abi.encodePacked(r, short_));
        _approvalRefused(vault, decision, calls, DEADLINE, "");
        _nothingStolen();
        vm.prank(agentKey);
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, abi.encodePacked(r, s, v));
    }

    function test_ApprovalOfAnotherChain() public {
        (Call[] memory calls, Decision memory decision) = _large();
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        bytes memory elsewhere = _approve(vault, decision, DEADLINE);
        vm.chainId(here);
        _approvalRefused(vault, decision, calls, DEADLINE, elsewhere);
        _nothingStolen();
    }

    function test_ApprovalBySomeoneElse() public {
        (Call[] memory calls, Decision memory decision) = _large();
        bytes32 digest = vault.approvalDigest(audit.digestOf(decision), DEADLINE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xA6E47, digest);
        _approvalRefused(vault, decision, calls, DEADLINE, abi.encodePacked(r, s, v));
    }

    function test_ApprovalByAnOwnerThatIsAContract() public {
        SigningOwner holder = new SigningOwner();
        (uint256 id, IAgentVault his) = _created(address(holder), _limited());
        _fund(his);
        Call[] memory calls = _poolSwapCall(address(usd), address(his), 30 ether, _least(30 ether));
        Decision memory decision = _decide(id, calls);
        bytes32 digest = his.approvalDigest(audit.digestOf(decision), DEADLINE);
        // He has said nothing of it yet, says something else, or takes it back: no bytes stand in for his word.
        _approvalRefused(his, decision, calls, DEADLINE, abi.encode(digest));
        holder.answer(digest, 0xffffffff);
        _approvalRefused(his, decision, calls, DEADLINE, abi.encode(digest));
        holder.answer(digest, 0x1626ba7e);
        holder.answer(digest, bytes4(0));
        _approvalRefused(his, decision, calls, DEADLINE, abi.encode(digest));
        holder.answer(digest, 0x1626ba7e);
        vm.prank(agentKey);
        his.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, "");
        assertEq(usd.balanceOf(address(his)), FUNDS - 30 ether, "dollars");
    }

    // His withdrawals

    function test_TokensThatReturnNothing() public {
        // As USDT: transfers and approvals return nothing, and an approval can't be changed but to none.
        TetherLike tether = new TetherLike();
        IPoolSetup tetherPool = _openPool(address(tether));
        PolicyConfig memory policy = _limited();
        policy.tokens[0] = TokenRule(address(tether), PER_TRADE, PER_DAY, NO_CAP);
        policy.pools[0] = PoolRule(address(tetherPool), 0, 0);
        policy.breaker.maxDrawdownBps = 0;
        (agentId, vault) = _createOwned(policy);
        _give(address(tether), address(vault), FUNDS);
        _giveWeth(maker, FUNDS);
        vm.prank(maker);
        weth.transfer(address(vault), FUNDS);
        _execute(_swapCall(_swapParams(address(tether), address(weth), address(vault), 1 ether)));
        _execute(
            _one(
                address(tetherPool),
                _poolSwap(tetherPool, address(tether), address(vault), 1 ether, 0.99 ether)
            )
        );
        _execute(_mintCall(_mintParams(address(tether), address(vault), -600, 600, 5 ether)));
        // Twice, so that an allowance left behind would stop the second.
        _execute(_mintCall(_mintParams(address(tether), address(vault), -900, 900, 5 ether)));
        assertEq(tether.allowance(address(vault), address(manager)), 0, "allowance left");
        uint256 left = tether.balanceOf(address(vault));
        vm.prank(_owner());
        vault.withdrawToken(address(tether), _owner(), left);
        assertEq(tether.balanceOf(_owner()), left, "the owner's tethers");
    }

    function test_ReentryByACollection() public {
        // A collection that calls back during the withdrawal, as the agent's key: its second call is turned away.
        TrapCollection trap = new TrapCollection();
        vm.prank(_owner());
        vault.rotateAgentKey(address(trap));
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether));
        Decision memory decision = _decide(calls);
        trap.arm(address(vault), abi.encodeCall(IAgentVault.execute, (_nothing(), decision, PAYLOAD, calls)));
        vm.prank(_owner());
        vault.withdrawPosition(address(trap), 1, _owner());
        assertEq(
            bytes32(trap.reason()),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "why it was turned away"
        );
        _nothingStolen();
    }

    function test_AStrangersPositionSentToTheVault() public {
        // Positions come in from anyone; what they bring with them opens no way out, and the owner gets rid of them.
        _give(address(usd), maker, 1 ether);
        _giveWeth(maker, 1 ether);
        vm.prank(maker);
        (uint256 sent,,,) = manager.mint(_mintParams(address(usd), maker, -600, 600, 1 ether));
        vm.prank(maker);
        IERC721(address(manager)).approve(thief, sent);
        vm.prank(maker);
        IERC721(address(manager)).safeTransferFrom(maker, address(vault), sent);
        vm.prank(thief);
        (bool moved,) = address(manager)
            .call(abi.encodeWithSignature("transferFrom(address,address,uint256)", vault, thief, sent));
        assertTrue(!moved, "what the giver allowed ends with the gift");
        INonfungiblePositionManager.CollectParams memory params =
            INonfungiblePositionManager.CollectParams(sent, thief, type(uint128).max, type(uint128).max);
        _refused(
            _one(address(manager), abi.encodeCall(INonfungiblePositionManager.collect, (params))),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
        vm.prank(_owner());
        vault.withdrawPosition(address(manager), sent, _owner());
        assertEq(manager.ownerOf(sent), _owner(), "the position's owner");
    }

    // His policy

    function test_ALooserPolicyWaitsAnewWithEachProposal() public {
        PolicyConfig memory first = _policy();
        PolicyConfig memory second = _limited();
        second.tokens[0].maxPerDay = NO_CAP;
        vm.prank(_owner());
        vault.setPolicy(first);
        (, uint256 earlier) = vault.proposal();
        vm.warp(earlier - 1);
        vm.prank(_owner());
        vault.setPolicy(second);
        // The day that the first one waited counts nothing for the second, and the first one is gone.
        vm.warp(earlier);
        (, uint256 later) = vault.proposal();
        vm.prank(_owner());
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.TooEarly.selector, later));
        vault.applyPolicy(second);
        vm.warp(later);
        vm.prank(_owner());
        vm.expectRevert(
            abi.encodeWithSelector(IAgentVault.NotProposed.selector, keccak256(abi.encode(first)))
        );
        vault.applyPolicy(first);
        vm.prank(_owner());
        vault.applyPolicy(second);
        vm.prank(_owner());
        vm.expectRevert(
            abi.encodeWithSelector(IAgentVault.NotProposed.selector, keccak256(abi.encode(second)))
        );
        vault.applyPolicy(second);
    }

    function test_ATighterPolicyEndsALooserOnesWait() public {
        vm.prank(_owner());
        vault.setPolicy(_policy());
        (, uint256 effectiveAt) = vault.proposal();
        PolicyConfig memory tighter = _limited();
        tighter.tokens[0].maxPerTrade = 1 ether;
        vm.prank(_owner());
        vault.setPolicy(tighter);
        // Who tightens has thought again: the looser one would have come into force on a vault he takes for safe.
        vm.warp(effectiveAt);
        vm.prank(_owner());
        vm.expectRevert(
            abi.encodeWithSelector(IAgentVault.NotProposed.selector, keccak256(abi.encode(_policy())))
        );
        vault.applyPolicy(_policy());
        (, uint120 cap,,) = vault.tokenLimits(address(usd));
        assertEq(cap, 1 ether, "the cap");
    }

    /// @dev A swap that needs the owner's approval.
    function _large() private view returns (Call[] memory calls, Decision memory decision) {
        calls = _poolSwapCall(address(usd), address(vault), 30 ether, _least(30 ether));
        decision = _decide(calls);
    }

    function _created(address owner_, PolicyConfig memory policy)
        private
        returns (uint256 id, IAgentVault created)
    {
        address at;
        (id, at) = factory.createVault(owner_, agentKey, policy);
        created = IAgentVault(at);
    }
}
