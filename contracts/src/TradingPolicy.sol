// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";

import {PolicyConfig, PoolRule, TargetRule, TokenRule} from "./interfaces/IAgentVault.sol";
import {ICircuitBreaker} from "./interfaces/ICircuitBreaker.sol";
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
    using TransientSlot for TransientSlot.AddressSlot;
    using TransientSlot for TransientSlot.Uint256Slot;

    struct TokenLimits {
        bool allowed;
        uint120 maxPerTrade;
        uint120 maxPerDay;
    }

    struct PoolLimits {
        bool allowed;
        uint24 fee;
        uint32 twapSeconds;
        uint24 maxTickDeviation;
    }

    uint40 private constant NEVER = type(uint40).max;
    /// @dev keccak256("defai.TradingPolicy.spentInTransaction"), a mapping by token in transient storage.
    bytes32 private constant SPENT_IN_TRANSACTION = keccak256("defai.TradingPolicy.spentInTransaction");
    /// @dev Likewise, of what is held against the cap on a trade.
    bytes32 private constant TRADED_IN_TRANSACTION = keccak256("defai.TradingPolicy.tradedInTransaction");
    /// @dev The pool that may ask for payment now, the token it is paid in and the most it gets, in transient storage.
    bytes32 private constant PAID_POOL = keccak256("defai.TradingPolicy.paidPool");
    bytes32 private constant PAID_TOKEN = keccak256("defai.TradingPolicy.paidToken");
    bytes32 private constant PAID_MOST = keccak256("defai.TradingPolicy.paidMost");

    /// @dev Values the vault, and keeps what that needs.
    ICircuitBreaker private immutable _breaker;

    /// @dev Rules are kept by the policy's version: replacing a policy forgets the one before it whole. A target's
    /// rule is a set of UniswapCalls.Kind, one bit each; a pool is a target by its own rule.
    mapping(uint32 version => mapping(address target => uint8 kinds)) private _targets;
    mapping(uint32 version => mapping(address token => TokenLimits)) private _tokens;
    mapping(uint32 version => mapping(bytes32 poolKey => address pool)) private _poolOf;
    mapping(uint32 version => mapping(address pool => PoolLimits)) private _pools;
    /// @dev What was spent stays spent, whatever the policy's version.
    mapping(address token => SpendingCap.Bucket) private _spent;
    /// @dev The last variables, so that they share a slot with the vault's key and pause.
    uint32 internal _policyVersion;
    /// @dev From when on a trade values the vault first; without a breaker at the end of time.
    uint40 internal _markDue;
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
    /// @notice The swap gave less than it was to.
    error TooLittleReceived(uint256 received, uint256 minimumOut);
    /// @notice Only the pool that the vault swaps in is paid, once for each swap.
    error NotSwappingIn(address pool);
    /// @notice The transaction would spend more than one may.
    error TradeCapExceeded(address token, uint256 spent, uint256 cap);
    /// @notice The transaction would spend more than is left for now.
    error DailyCapExceeded(address token, uint256 spent, uint256 available);
    /// @notice The transaction would spend more than it may without the owner's approval of its decision.
    error ApprovalNeeded(address token, uint256 spent, uint256 approvalAbove);
    /// @notice A policy can only allow functions that the vault understands; a pool's come with its rule.
    error UnknownSelector(bytes4 selector);
    /// @notice The target's factory knows no such pool.
    error PoolNotOfFactory(address target, address pool);
    /// @notice The vault is worth too little to go on trading.
    error DrawdownExceeded(uint256 equity, uint256 peak);

    constructor(ICircuitBreaker breaker_) {
        _breaker = breaker_;
    }

    /// @notice Pays a pool for the swap that the vault is making in it. Nobody else is paid.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        TransientSlot.AddressSlot paidPool = PAID_POOL.asAddress();
        if (msg.sender != paidPool.tload()) revert NotSwappingIn(msg.sender);
        paidPool.tstore(address(0));
        uint256 owed = uint256(amount0Delta > 0 ? amount0Delta : amount1Delta);
        if (owed > PAID_MOST.asUint256().tload()) revert NotSwappingIn(msg.sender);
        IERC20(PAID_TOKEN.asAddress().tload()).safeTransfer(msg.sender, owed);
    }

    /// @dev Takes a whole policy as the new one, after checking that its pools are real and its tokens named.
    function _replacePolicy(PolicyConfig calldata policy) internal returns (uint32 version) {
        version = ++_policyVersion;
        bool capped = false;
        for (uint256 i = 0; i < policy.tokens.length; ++i) {
            TokenRule calldata rule = policy.tokens[i];
            capped = capped || rule.maxPerTrade != SpendingCap.UNLIMITED
                || rule.maxPerDay != SpendingCap.UNLIMITED || rule.approvalAbove != SpendingCap.UNLIMITED;
            _tokens[version][rule.token] = TokenLimits(true, rule.maxPerTrade, rule.maxPerDay);
            _spent[rule.token].approvalAbove = SpendingCap.clampThreshold(rule.approvalAbove);
        }
        _capped = capped;
        for (uint256 i = 0; i < policy.targets.length; ++i) {
            _targets[version][policy.targets[i].target] = _kindsOf(policy.targets[i]);
        }
        for (uint256 i = 0; i < policy.pools.length; ++i) {
            _allowPool(version, policy.pools[i], policy.targets);
        }
        _markDue = _breaker.follow(policy) ? 0 : NEVER;
    }

    /// @dev Whether a policy allows anything that the one in force doesn't.
    function _loosens(PolicyConfig calldata policy) internal view returns (bool) {
        uint32 version = _policyVersion;
        for (uint256 i = 0; i < policy.targets.length; ++i) {
            TargetRule calldata rule = policy.targets[i];
            if (_kindsOf(rule) & ~_targets[version][rule.target] != 0) return true;
        }
        for (uint256 i = 0; i < policy.tokens.length; ++i) {
            TokenRule calldata rule = policy.tokens[i];
            TokenLimits memory now_ = _tokens[version][rule.token];
            if (!now_.allowed || rule.maxPerTrade > now_.maxPerTrade || rule.maxPerDay > now_.maxPerDay) {
                return true;
            }
            if (SpendingCap.clampThreshold(rule.approvalAbove) > _spent[rule.token].approvalAbove) {
                return true;
            }
        }
        for (uint256 i = 0; i < policy.pools.length; ++i) {
            PoolRule calldata rule = policy.pools[i];
            PoolLimits memory now_ = _pools[version][rule.pool];
            if (!now_.allowed) return true;
            if (now_.twapSeconds == 0) continue;
            if (rule.twapSeconds != now_.twapSeconds || rule.maxTickDeviation > now_.maxTickDeviation) {
                return true;
            }
        }
        return _breaker.loosens(address(this), policy.breaker);
    }

    /// @dev Makes one call of the agent's, if the policy allows it.
    /// @param approved Whether the owner has approved the decision, which lifts `approvalAbove` and nothing else.
    function _makeCall(address target, bytes calldata data, bool approved)
        internal
        returns (bytes memory result)
    {
        if (bytes4(data) == IUniswapV3Pool.swap.selector) return _swapInPool(target, data, approved);
        (UniswapCalls.Order memory order, bool isTrade) = _readCall(_policyVersion, target, data);
        uint256 heldA = _lend(order.tokenA, target, order.amountA);
        uint256 heldB = _lend(order.tokenB, target, order.amountB);
        result = Address.functionCall(target, data);
        _settle(order.tokenA, target, order.amountA, heldA, isTrade, approved);
        _settle(order.tokenB, target, order.amountB, heldB, isTrade, approved);
        if (_markDue != NEVER) _watch(order, target, result);
    }

    /// @dev Tells the breaker of a position that becomes the vault's, or larger.
    function _watch(UniswapCalls.Order memory order, address manager, bytes memory result) private {
        if (order.kind == UniswapCalls.Kind.Mint) order.positionId = abi.decode(result, (uint256));
        else if (order.kind != UniswapCalls.Kind.Increase) return;
        _breaker.watchPosition(manager, order.positionId);
    }

    /// @dev Values the vault if it is time to; reverts where it has fallen too far.
    function _requireStanding() internal {
        if (block.timestamp < _markDue) return;
        (uint256 equity, uint256 peak, bool fallen) = _mark();
        if (fallen) revert DrawdownExceeded(equity, peak);
    }

    /// @dev Values the vault now.
    function _mark() internal returns (uint256 equity, uint256 peak, bool fallen) {
        uint256 nextMark;
        (equity, peak, fallen, nextMark) = _breaker.mark();
        _markDue = uint40(nextMark);
    }

    /// @dev Counts the fall from the next trade on: money was taken out, or the owner wants to go on.
    function _forgetPeak() internal {
        if (_breaker.forgetPeak()) _markDue = 0;
    }

    function _isCallAllowed(address target, bytes4 selector) internal view returns (bool) {
        if (selector == IUniswapV3Pool.swap.selector) return _pools[_policyVersion][target].allowed;
        return _targets[_policyVersion][target] & UniswapCalls.bit(UniswapCalls.kindOf(selector)) != 0;
    }

    function _tokenLimits(address token) internal view returns (TokenLimits memory) {
        return _tokens[_policyVersion][token];
    }

    function _approvalAbove(address token) internal view returns (uint120) {
        uint104 threshold = _spent[token].approvalAbove;
        return threshold == SpendingCap.NO_THRESHOLD ? SpendingCap.UNLIMITED : threshold;
    }

    function _poolLimits(address tokenA, address tokenB, uint24 fee)
        internal
        view
        returns (address pool, PoolLimits memory)
    {
        pool = _poolOf[_policyVersion][UniswapCalls.poolKey(tokenA, tokenB, fee)];
        return (pool, _pools[_policyVersion][pool]);
    }

    function _spendable(address token) internal view returns (uint256) {
        TokenLimits memory limits = _tokenLimits(token);
        return limits.allowed ? _spent[token].available(limits.maxPerDay) : 0;
    }

    /// @dev A target reaches the pool that its own factory has for two tokens and a fee, so that is the pool that has to
    /// be meant. Only a contract of Uniswap's periphery answers this, which keeps tokens from being named as targets. The
    /// first pool of two tokens bounds their pair; whichever it is, a thief gains nothing he couldn't do in that pool.
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
            if (_targets[version][target] & UniswapCalls.bit(UniswapCalls.Kind.PairSwap) != 0) {
                bytes32 pair = UniswapCalls.poolKey(token0, token1, UniswapCalls.PAIR);
                if (_poolOf[version][pair] == address(0)) _poolOf[version][pair] = rule.pool;
            }
        }
        _poolOf[version][UniswapCalls.poolKey(token0, token1, fee)] = rule.pool;
        _pools[version][rule.pool] = PoolLimits(true, fee, rule.twapSeconds, rule.maxTickDeviation);
    }

    /// @dev Swaps in the pool itself: nothing is lent to anyone, the pool is paid when it calls back.
    function _swapInPool(address target, bytes calldata data, bool approved)
        private
        returns (bytes memory result)
    {
        PoolLimits memory limits = _pools[_policyVersion][target];
        if (!limits.allowed) revert TargetNotAllowed(target);
        (address recipient, bool zeroForOne, uint256 amountIn, uint256 minimumOut) =
            UniswapCalls.decodePoolSwap(data);
        if (recipient != address(this)) revert RecipientNotVault(recipient);
        IUniswapV3Pool pool = IUniswapV3Pool(target);
        if (limits.twapSeconds != 0) {
            TwapBound.requireMinimumOut(
                pool, limits.twapSeconds, limits.maxTickDeviation, zeroForOne, amountIn, minimumOut
            );
        }
        address tokenIn = zeroForOne ? pool.token0() : pool.token1();
        PAID_POOL.asAddress().tstore(target);
        PAID_TOKEN.asAddress().tstore(tokenIn);
        PAID_MOST.asUint256().tstore(amountIn);
        result = Address.functionCall(target, data);
        PAID_POOL.asAddress().tstore(address(0));
        (int256 paid, int256 got) = abi.decode(result, (int256, int256));
        if (!zeroForOne) (paid, got) = (got, paid);
        if (uint256(-got) < minimumOut) revert TooLittleReceived(uint256(-got), minimumOut);
        if (_capped) _count(tokenIn, uint256(paid), true, approved);
    }

    /// @dev What a call asks for; reverts unless the policy allows it. What becomes liquidity near an average price stays
    /// the vault's: it counts against the day, and is no trade. Without an average it could be given away like one.
    function _readCall(uint32 version, address target, bytes calldata data)
        private
        view
        returns (UniswapCalls.Order memory order, bool isTrade)
    {
        UniswapCalls.Kind kind = UniswapCalls.kindOf(bytes4(data));
        uint8 kinds = _targets[version][target];
        if (kinds == 0) revert TargetNotAllowed(target);
        if (kinds & UniswapCalls.bit(kind) == 0) revert SelectorNotAllowed(target, bytes4(data));
        order = UniswapCalls.decode(kind, data, address(this));
        bool swaps = order.kind == UniswapCalls.Kind.Swap;
        if (swaps && order.amountA == 0) revert NothingToSwap();
        if (kind > UniswapCalls.Kind.Mint) _readPosition(order, target);
        if (order.recipient != address(this)) revert RecipientNotVault(order.recipient);
        address pool = _requirePool(version, order);
        PoolLimits memory limits = _pools[version][pool];
        _requirePrice(order, IUniswapV3Pool(pool), limits);
        isTrade = swaps || limits.twapSeconds == 0;
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
        returns (address pool)
    {
        pool = _poolOf[version][UniswapCalls.poolKey(order.tokenA, order.tokenB, order.fee)];
        if (pool != address(0)) return pool;
        if (!_tokenLimits(order.tokenA).allowed) revert TokenNotAllowed(order.tokenA);
        if (!_tokenLimits(order.tokenB).allowed) revert TokenNotAllowed(order.tokenB);
        revert PoolNotAllowed(order.tokenA, order.tokenB, order.fee);
    }

    /// @dev Collecting and burning depend on no price.
    function _requirePrice(UniswapCalls.Order memory order, IUniswapV3Pool pool, PoolLimits memory limits)
        private
        view
    {
        if (limits.twapSeconds == 0 || order.kind > UniswapCalls.Kind.Decrease) return;
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
    function _settle(address token, address target, uint256 amount, uint256 held, bool isTrade, bool approved)
        private
    {
        if (amount == 0) return;
        if (IERC20(token).allowance(address(this), target) != 0) IERC20(token).forceApprove(target, 0);
        if (!_capped) return;
        uint256 gone = Math.saturatingSub(held, IERC20(token).balanceOf(address(this)));
        _count(token, gone, isTrade, approved);
    }

    function _count(address token, uint256 amount, bool isTrade, bool approved) private {
        TokenLimits memory limits = _tokenLimits(token);
        SpendingCap.Bucket storage bucket = _spent[token];
        if (isTrade && limits.maxPerTrade != SpendingCap.UNLIMITED) {
            uint256 traded = _addInTransaction(TRADED_IN_TRANSACTION, token, amount);
            if (traded > limits.maxPerTrade) revert TradeCapExceeded(token, traded, limits.maxPerTrade);
        }
        uint104 threshold = bucket.approvalAbove;
        if (threshold != SpendingCap.NO_THRESHOLD && !approved) {
            uint256 spent = _addInTransaction(SPENT_IN_TRANSACTION, token, amount);
            if (spent > threshold) revert ApprovalNeeded(token, spent, threshold);
        }
        if (!bucket.consume(limits.maxPerDay, amount)) {
            revert DailyCapExceeded(token, amount, bucket.available(limits.maxPerDay));
        }
    }

    function _addInTransaction(bytes32 counter, address token, uint256 amount) private returns (uint256 sum) {
        TransientSlot.Uint256Slot slot = counter.deriveMapping(token).asUint256();
        sum = slot.tload() + amount;
        slot.tstore(sum);
    }

    function _kindsOf(TargetRule calldata rule) private pure returns (uint8 kinds) {
        for (uint256 i = 0; i < rule.selectors.length; ++i) {
            UniswapCalls.Kind kind = UniswapCalls.kindOf(rule.selectors[i]);
            if (kind == UniswapCalls.Kind.Unknown || kind == UniswapCalls.Kind.PoolSwap) {
                revert UnknownSelector(rule.selectors[i]);
            }
            kinds |= UniswapCalls.bit(kind);
        }
    }
}
