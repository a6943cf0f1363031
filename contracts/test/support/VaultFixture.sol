// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    Call,
    IAgentVault,
    PolicyConfig,
    PoolRule,
    TargetRule,
    TokenRule
} from "../../src/interfaces/IAgentVault.sol";
import {Anchor, Decision, IDecisionAudit} from "../../src/interfaces/IDecisionAudit.sol";
import {IAgentVaultFactory} from "../../src/interfaces/IAgentVaultFactory.sol";
import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../../src/interfaces/IUniswap.sol";
import {UniswapMarket} from "./UniswapMarket.sol";

/// @dev A funded vault on a living market, and what an agent's process does: it writes decisions and sends them.
abstract contract VaultFixture is UniswapMarket {
    uint120 internal constant NO_CAP = type(uint120).max;
    uint160 internal constant LOWEST_PRICE = 4295128739;
    uint160 internal constant HIGHEST_PRICE = 1461446703485210103287273052203988822378723970342;
    uint256 internal constant FUNDS = 1_000 ether;
    bytes internal constant PAYLOAD = '{"intent":{"kind":"swap"},"reason":"the price stands under its mean"}';

    address internal immutable owner = address(0x03E7);
    address internal immutable agentKey = address(0xA6E47);
    address internal immutable thief = address(0x74EF);

    IAgentVaultFactory internal factory;
    IDecisionAudit internal audit;
    IAgentVault internal vault;
    uint256 internal agentId;

    function setUp() public virtual {
        _openMarket();
        factory = IAgentVaultFactory(_deployOurs("AgentVaultFactory", ""));
        audit = factory.audit();
        (agentId, vault) = _createVault(_policy());
        _fund(vault);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }

    function _createVault(PolicyConfig memory policy) internal returns (uint256 id, IAgentVault created) {
        address at;
        (id, at) = factory.createVault(owner, agentKey, policy);
        created = IAgentVault(at);
    }

    function _fund(IAgentVault target) internal {
        _give(address(usd), address(target), FUNDS);
        _giveWeth(maker, FUNDS);
        vm.prank(maker);
        weth.transfer(address(target), FUNDS);
    }

    /// @dev All six calls, both tokens without caps, the pool without a bound on its price.
    function _policy() internal view returns (PolicyConfig memory policy) {
        policy.targets = new TargetRule[](2);
        policy.targets[0].target = address(router);
        policy.targets[0].selectors = new bytes4[](1);
        policy.targets[0].selectors[0] = ISwapRouter02.exactInputSingle.selector;
        policy.targets[1].target = address(manager);
        policy.targets[1].selectors = new bytes4[](5);
        policy.targets[1].selectors[0] = INonfungiblePositionManager.mint.selector;
        policy.targets[1].selectors[1] = INonfungiblePositionManager.increaseLiquidity.selector;
        policy.targets[1].selectors[2] = INonfungiblePositionManager.decreaseLiquidity.selector;
        policy.targets[1].selectors[3] = INonfungiblePositionManager.collect.selector;
        policy.targets[1].selectors[4] = INonfungiblePositionManager.burn.selector;
        policy.tokens = new TokenRule[](2);
        policy.tokens[0] = TokenRule(address(usd), NO_CAP, NO_CAP, NO_CAP);
        policy.tokens[1] = TokenRule(address(weth), NO_CAP, NO_CAP, NO_CAP);
        policy.pools = new PoolRule[](1);
        policy.pools[0] = PoolRule(address(pool), 0, 0);
    }

    /// @dev At once where it is tighter, else after its delay.
    function _setPolicy(PolicyConfig memory policy) internal {
        vm.prank(owner);
        vault.setPolicy(policy);
        (, uint256 effectiveAt) = vault.proposal();
        if (effectiveAt == 0) return;
        vm.warp(effectiveAt);
        vm.prank(owner);
        vault.applyPolicy(policy);
    }

    /// @dev The agent's next decision on these calls, as its process would write it.
    function _decide(Call[] memory calls) internal view returns (Decision memory) {
        return _decide(agentId, calls);
    }

    function _decide(uint256 id, Call[] memory calls) internal view returns (Decision memory decision) {
        (, uint64 nextSequence, bytes32 lastDigest,) = audit.agentOf(id);
        uint256 block_ = vm.getBlockNumber() - 1;
        decision = Decision({
            agentId: id,
            sequence: nextSequence,
            previousDigest: lastDigest,
            blockNumber: uint64(block_),
            blockHash: keccak256("the block decided upon"),
            strategyDigest: keccak256("strategy"),
            modelDigest: keccak256("model"),
            featuresDigest: keccak256("features"),
            forecast: -3 << 24,
            action: 1,
            actionDigest: keccak256(abi.encode(calls)),
            payloadDigest: keccak256(PAYLOAD)
        });
    }

    function _execute(Call[] memory calls) internal returns (uint256 tokenId, bytes[] memory results) {
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        return vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    /// @dev The next execution must revert with exactly this.
    function _executeReverts(Call[] memory calls, bytes memory reason) internal {
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectRevert(reason);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    function _nothing() internal pure returns (Anchor memory none) {}

    function _one(address target, bytes memory data) internal pure returns (Call[] memory calls) {
        calls = new Call[](1);
        calls[0] = Call(target, data);
    }

    function _swapCall(uint256 amount) internal view returns (Call[] memory) {
        return _swapCall(_swapParams(address(usd), address(weth), address(vault), amount));
    }

    /// @dev A swap in the pool itself, as an agent's process makes it.
    function _poolSwapCall(address tokenIn, address recipient, uint256 amount, uint256 minimumOut)
        internal
        view
        returns (Call[] memory)
    {
        return _one(address(pool), _poolSwap(pool, tokenIn, recipient, amount, minimumOut));
    }

    function _poolSwap(
        IUniswapV3Pool at,
        address tokenIn,
        address recipient,
        uint256 amount,
        uint256 minimumOut
    ) internal view returns (bytes memory) {
        bool zeroForOne = tokenIn == at.token0();
        uint160 limit = zeroForOne ? LOWEST_PRICE + 1 : HIGHEST_PRICE - 1;
        bytes memory least = abi.encode(minimumOut);
        return abi.encodeCall(IUniswapV3Pool.swap, (recipient, zeroForOne, int256(amount), limit, least));
    }

    function _swapCall(ISwapRouter02.ExactInputSingleParams memory params)
        internal
        view
        returns (Call[] memory)
    {
        return _one(address(router), abi.encodeCall(ISwapRouter02.exactInputSingle, (params)));
    }

    function _mintCall(INonfungiblePositionManager.MintParams memory params)
        internal
        view
        returns (Call[] memory)
    {
        return _one(address(manager), abi.encodeCall(INonfungiblePositionManager.mint, (params)));
    }

    /// @dev The vault opens a position around the price.
    function _openPosition() internal returns (uint256 positionId) {
        (, bytes[] memory results) =
            _execute(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 100 ether)));
        (positionId,,,) = abi.decode(results[0], (uint256, uint128, uint256, uint256));
    }
}
