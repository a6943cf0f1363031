// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";

import {PolicyConfig, PoolRule, TargetRule, TokenRule} from "./interfaces/IAgentVault.sol";
import {
    INonfungiblePositionManager,
    IPeripheryImmutableState,
    IUniswapV3Factory,
    IUniswapV3Pool
} from "./interfaces/IUniswap.sol";
import {SpendingCap} from "./libraries/SpendingCap.sol";
import {TwapBound} from "./libraries/TwapBound.sol";
import {UniswapCalls} from "./libraries/UniswapCalls.sol";

/// @title What an agent may do with a vault's funds
/// @notice Reads each call before it is made. What isn't understood and allowed reverts: the target, the function, the
/// pool (and so its tokens), the recipient, whose position it is, how much is spent.
abstract contract TradingPolicy {
    using SafeERC20 for IERC20;
    using SlotDerivation for bytes32;
    using SpendingCap for SpendingCap.Bucket;
    using TransientSlot for bytes32;
    using TransientSlot for TransientSlot.Uint256Slot;

    struct TokenLimits {
        bool allowed;
        uint120 maxPerTrade;
        uint120 maxPerDay;
    }

    struct PoolLimits {
        address pool;
        uint32 twapSeconds;
        uint24 maxTickDeviation;
    }

    /// @dev keccak256("defai.TradingPolicy.spentInTransaction"), a mapping by token in transient storage.
    bytes32 private constant SPENT_IN_TRANSACTION = keccak256("defai.TradingPolicy.spentInTransaction");

    /// @dev Rules are kept by the policy's version: replacing a policy forgets the one before it whole. A target's
    /// rule is a set of UniswapCalls.Kind, one bit each.
    mapping(uint32 version => mapping(address target => uint8 kinds)) private _targets;
    mapping(uint32 version => mapping(address token => TokenLimits)) private _tokens;
    mapping(uint32 version => mapping(bytes32 poolKey => PoolLimits)) private _pools;
    /// @dev What was spent stays spent, whatever the policy's version.
    mapping(address token => SpendingCap.Bucket) private _spent;
    /// @dev The last variables, so that they share a slot with the vault's key and pause.
    uint32 internal _policyVersion;
    /// @dev Whether any token of the policy has a cap; without one nothing has to be counted.
    bool private _capped;

    /// @notice The policy names no such contract.
    error TargetNotAllowed(address target);
    /// @notice The policy doesn't allow this function of it.
    error SelectorNotAllowed(address target, bytes4 selector);
    /// @notice A token that the policy doesn't name.
    error TokenNotAllowed(address token);
    /// @notice A pool that the policy doesn't name.
    error PoolNotAllowed(address tokenA, address tokenB, uint24 fee);
    /// @notice The call would pay someone else than the vault.
    error RecipientNotVault(address recipient);
    /// @notice The position isn't the vault's.
    error PositionNotOwned(uint256 positionId);
    /// @notice A swap of nothing: the router would take it for all that it holds itself.
    error NothingToSwap();
    /// @notice The transaction would spend more than one may.
    error TradeCapExceeded(address token, uint256 spent, uint256 cap);
    /// @notice The transaction would spend more than is left for now.
    error DailyCapExceeded(address token, uint256 spent, uint256 available);
    /// @notice A policy can only allow functions that the vault understands.
    error UnknownSelector(bytes4 selector);
    /// @notice The target's factory knows no such pool.
    error PoolNotOfFactory(address target, address pool);

    /// @dev Takes a whole policy as the new one, after checking that its pools are real and its tokens named.
    function _replacePolicy(PolicyConfig calldata policy) internal returns (uint32 version) {
        version = ++_policyVersion;
        bool capped = false;
        for (uint256 i = 0; i < policy.tokens.length; ++i) {
            TokenRule calldata rule = policy.tokens[i];
            capped = capped || rule.maxPerTrade != SpendingCap.UNLIMITED
                || rule.maxPerDay != SpendingCap.UNLIMITED;
            _tokens[version][rule.token] = TokenLimits(true, rule.maxPerTrade, rule.maxPerDay);
        }
        _capped = capped;
        for (uint256 i = 0; i < policy.targets.length; ++i) {
            _allowTarget(version, policy.targets[i]);
        }
        for (uint256 i = 0; i < policy.pools.length; ++i) {
            _allowPool(version, policy.pools[i], policy.targets);
        }
    }

    /// @dev Makes one call of the agent's, if the policy allows it.
    function _makeCall(address target, bytes calldata data) internal returns (bytes memory result) {
        UniswapCalls.Order memory order = _readCall(_policyVersion, target, data);
        uint256 heldA = _lend(order.tokenA, target, order.amountA);
        uint256 heldB = _lend(order.tokenB, target, order.amountB);
        result = Address.functionCall(target, data);
        _settle(order.tokenA, target, order.amountA, heldA);
        _settle(order.tokenB, target, order.amountB, heldB);
    }

    function _isCallAllowed(address target, bytes4 selector) internal view returns (bool) {
        return _targets[_policyVersion][target] & _bit(UniswapCalls.kindOf(selector)) != 0;
    }

    function _tokenLimits(address token) internal view returns (TokenLimits memory) {
        return _tokens[_policyVersion][token];
    }

    function _poolLimits(address tokenA, address tokenB, uint24 fee)
        internal
        view
        returns (PoolLimits memory)
    {
        return _pools[_policyVersion][_poolKey(tokenA, tokenB, fee)];
    }

    function _spendable(address token) internal view returns (uint256) {
        TokenLimits memory limits = _tokenLimits(token);
        return limits.allowed ? _spent[token].available(limits.maxPerDay) : 0;
    }

    function _allowTarget(uint32 version, TargetRule calldata rule) private {
        uint8 kinds = 0;
        for (uint256 i = 0; i < rule.selectors.length; ++i) {
            UniswapCalls.Kind kind = UniswapCalls.kindOf(rule.selectors[i]);
            if (kind == UniswapCalls.Kind.Unknown) revert UnknownSelector(rule.selectors[i]);
            kinds |= _bit(kind);
        }
        _targets[version][rule.target] = kinds;
    }

    /// @dev A target reaches the pool that its own factory has for two tokens and a fee, so that is the pool that has to
    /// be meant. Only a contract of Uniswap's periphery answers this, which keeps tokens from being named as targets.
    function _allowPool(uint32 version, PoolRule calldata rule, TargetRule[] calldata targets) private {
        IUniswapV3Pool pool = IUniswapV3Pool(rule.pool);
        (address token0, address token1, uint24 fee) = (pool.token0(), pool.token1(), pool.fee());
        if (!_tokens[version][token0].allowed) revert TokenNotAllowed(token0);
        if (!_tokens[version][token1].allowed) revert TokenNotAllowed(token1);
        for (uint256 i = 0; i < targets.length; ++i) {
            address target = targets[i].target;
            address factory = IPeripheryImmutableState(target).factory();
            address known = IUniswapV3Factory(factory).getPool(token0, token1, fee);
            if (known != rule.pool) revert PoolNotOfFactory(target, rule.pool);
        }
        _pools[version][_poolKey(token0, token1, fee)] =
            PoolLimits(rule.pool, rule.twapSeconds, rule.maxTickDeviation);
    }

    /// @dev What a call asks for; reverts unless the policy allows it.
    function _readCall(uint32 version, address target, bytes calldata data)
        private
        view
        returns (UniswapCalls.Order memory order)
    {
        UniswapCalls.Kind kind = UniswapCalls.kindOf(bytes4(data));
        uint8 kinds = _targets[version][target];
        if (kinds == 0) revert TargetNotAllowed(target);
        if (kinds & _bit(kind) == 0) revert SelectorNotAllowed(target, bytes4(data));
        order = UniswapCalls.decode(kind, data, address(this));
        if (kind == UniswapCalls.Kind.Swap && order.amountA == 0) revert NothingToSwap();
        if (kind > UniswapCalls.Kind.Mint) _readPosition(order, target);
        if (order.recipient != address(this)) revert RecipientNotVault(order.recipient);
        _requirePrice(order, _requirePool(version, order));
    }

    /// @dev Only own positions: others could be of a pool, and so of tokens, that mean harm.
    function _readPosition(UniswapCalls.Order memory order, address target) private view {
        INonfungiblePositionManager manager = INonfungiblePositionManager(target);
        if (manager.ownerOf(order.positionId) != address(this)) revert PositionNotOwned(order.positionId);
        (,, order.tokenA, order.tokenB, order.fee,,,,,,,) = manager.positions(order.positionId);
    }

    /// @dev An allowed pool has allowed tokens, so these are looked at only to say what is wrong.
    function _requirePool(uint32 version, UniswapCalls.Order memory order)
        private
        view
        returns (PoolLimits memory limits)
    {
        limits = _pools[version][_poolKey(order.tokenA, order.tokenB, order.fee)];
        if (limits.pool != address(0)) return limits;
        if (!_tokenLimits(order.tokenA).allowed) revert TokenNotAllowed(order.tokenA);
        if (!_tokenLimits(order.tokenB).allowed) revert TokenNotAllowed(order.tokenB);
        revert PoolNotAllowed(order.tokenA, order.tokenB, order.fee);
    }

    /// @dev Collecting and burning depend on no price.
    function _requirePrice(UniswapCalls.Order memory order, PoolLimits memory limits) private view {
        if (limits.twapSeconds == 0 || order.kind > UniswapCalls.Kind.Decrease) return;
        IUniswapV3Pool pool = IUniswapV3Pool(limits.pool);
        if (order.kind == UniswapCalls.Kind.Swap) {
            bool zeroForOne = order.tokenA < order.tokenB;
            TwapBound.requireMinimumOut(
                pool, limits.twapSeconds, limits.maxTickDeviation, zeroForOne, order.amountA, order.minimumOut
            );
        } else {
            TwapBound.requireSpotNear(pool, limits.twapSeconds, limits.maxTickDeviation);
        }
    }

    /// @dev Allows the target to take an amount, and where spending is counted tells what the vault has before it does.
    function _lend(address token, address target, uint256 amount) private returns (uint256 held) {
        if (amount == 0) return 0;
        IERC20(token).forceApprove(target, amount);
        if (_capped) held = IERC20(token).balanceOf(address(this));
    }

    /// @dev Takes back the allowance that is left, and counts what has gone. Balances tell it, for to some tokens a large
    /// allowance is one without end, of which nothing is ever used up.
    function _settle(address token, address target, uint256 amount, uint256 held) private {
        if (amount == 0) return;
        if (IERC20(token).allowance(address(this), target) != 0) IERC20(token).forceApprove(target, 0);
        if (_capped) _count(token, Math.saturatingSub(held, IERC20(token).balanceOf(address(this))));
    }

    function _count(address token, uint256 amount) private {
        TokenLimits memory limits = _tokenLimits(token);
        if (limits.maxPerTrade != SpendingCap.UNLIMITED) {
            TransientSlot.Uint256Slot slot = SPENT_IN_TRANSACTION.deriveMapping(token).asUint256();
            uint256 spent = slot.tload() + amount;
            if (spent > limits.maxPerTrade) revert TradeCapExceeded(token, spent, limits.maxPerTrade);
            slot.tstore(spent);
        }
        if (!_spent[token].consume(limits.maxPerDay, amount)) {
            revert DailyCapExceeded(token, amount, _spent[token].available(limits.maxPerDay));
        }
    }

    function _bit(UniswapCalls.Kind kind) private pure returns (uint8) {
        return kind == UniswapCalls.Kind.Unknown ? 0 : uint8(1) << uint8(kind);
    }

    function _poolKey(address tokenA, address tokenB, uint24 fee) private pure returns (bytes32) {
        return tokenA < tokenB
            ? keccak256(abi.encode(tokenA, tokenB, fee))
            : keccak256(abi.encode(tokenB, tokenA, fee));
    }
}
