// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {BreakerRule, PolicyConfig} from "./interfaces/IAgentVault.sol";
import {ICircuitBreaker} from "./interfaces/ICircuitBreaker.sol";
import {INonfungiblePositionManager, IUniswapV3Pool} from "./interfaces/IUniswap.sol";
import {LiquidityAmounts} from "./libraries/LiquidityAmounts.sol";
import {TickPrice} from "./libraries/TickPrice.sol";
import {TwapBound} from "./libraries/TwapBound.sol";

/// @title Ends trading when a vault has lost too much
/// @notice See {ICircuitBreaker}.
/// @dev Nothing that can be forged raises the worth: prices are averages over minutes, balances the vault's own. What
/// is left out only lowers it: fees not collected yet, and positions the vault did not open or add to itself. Anyone
/// can send a vault positions; they cost no gas here and push none of its own out.
contract CircuitBreaker is ICircuitBreaker {
    /// @dev A pool that prices are taken from, and that positions may lie in.
    struct Watched {
        address pool;
        uint24 fee;
        uint32 twapSeconds;
        address token0;
        address token1;
    }

    struct State {
        BreakerRule rule;
        uint256 peak;
        address[] tokens;
        Watched[] pools;
    }

    /// @dev A position of a vault's own making.
    struct Opened {
        address manager;
        uint96 id;
    }

    /// @dev What a valuation needs of the state, with the pools' average ticks.
    struct Prices {
        address vault;
        address numeraire;
        Watched[] pools;
        int24[] ticks;
    }

    /// @dev What a position manager says of a position.
    struct Held {
        address token0;
        address token1;
        uint24 fee;
        int24 tickLower;
        int24 tickUpper;
        uint128 liquidity;
        uint128 owed0;
        uint128 owed1;
    }

    uint256 private constant BPS = 10_000;
    /// @dev A vault's own positions at a time, which bounds the gas of valuing them.
    uint256 private constant MOST_POSITIONS = 16;

    mapping(address vault => State) private _states;
    /// @dev Whatever rule it follows, from the first place on. Those it holds no longer make room for new ones.
    mapping(address vault => Opened[MOST_POSITIONS]) private _opened;

    /// @inheritdoc ICircuitBreaker
    function follow(PolicyConfig calldata policy) external returns (bool active) {
        BreakerRule calldata rule = policy.breaker;
        State storage state = _states[msg.sender];
        uint256 peak = state.rule.numeraire == rule.numeraire ? state.peak : 0;
        delete _states[msg.sender];
        if (rule.maxDrawdownBps == 0) return false;
        if (rule.maxDrawdownBps >= BPS) revert DrawdownOutOfRange(rule.maxDrawdownBps);
        state.rule = rule;
        state.peak = peak;
        for (uint256 i = 0; i < policy.tokens.length; ++i) {
            state.tokens.push(policy.tokens[i].token);
        }
        for (uint256 i = 0; i < policy.pools.length; ++i) {
            IUniswapV3Pool pool = IUniswapV3Pool(policy.pools[i].pool);
            uint32 twapSeconds = policy.pools[i].twapSeconds;
            if (twapSeconds == 0) revert PoolWithoutAverage(address(pool));
            state.pools.push(Watched(address(pool), pool.fee(), twapSeconds, pool.token0(), pool.token1()));
        }
        _requirePrices(state);
        return true;
    }

    /// @inheritdoc ICircuitBreaker
    function watchPosition(address manager, uint256 positionId) external {
        Opened[MOST_POSITIONS] storage opened = _opened[msg.sender];
        Opened memory position = Opened(manager, SafeCast.toUint96(positionId));
        uint256 count = 0;
        for (; count < MOST_POSITIONS && opened[count].manager != address(0); ++count) {
            if (opened[count].id == position.id && opened[count].manager == manager) return;
        }
        uint256 place = 0;
        while (place < count && _holds(msg.sender, opened[place])) ++place;
        if (place == MOST_POSITIONS) revert TooManyPositions(MOST_POSITIONS);
        opened[place] = position;
    }

    /// @inheritdoc ICircuitBreaker
    function mark() external returns (uint256 equity, uint256 peak, bool fallen, uint256 nextMark) {
        State storage state = _states[msg.sender];
        BreakerRule memory rule = state.rule;
        if (rule.maxDrawdownBps == 0) revert NoBreaker(msg.sender);
        equity = worth(msg.sender);
        peak = state.peak;
        if (equity > peak) {
            peak = equity;
            state.peak = equity;
        }
        fallen = equity < peak - Math.mulDiv(peak, rule.maxDrawdownBps, BPS);
        nextMark = block.timestamp + rule.markSeconds;
    }

    /// @inheritdoc ICircuitBreaker
    function forgetPeak() external returns (bool active) {
        State storage state = _states[msg.sender];
        active = state.rule.maxDrawdownBps != 0;
        if (active) state.peak = 0;
    }

    /// @inheritdoc ICircuitBreaker
    function loosens(address vault, BreakerRule calldata rule) external view returns (bool) {
        BreakerRule memory present = _states[vault].rule;
        if (present.maxDrawdownBps == 0) return false;
        return rule.maxDrawdownBps == 0 || rule.maxDrawdownBps > present.maxDrawdownBps
            || rule.markSeconds > present.markSeconds || rule.numeraire != present.numeraire;
    }

    /// @inheritdoc ICircuitBreaker
    function stateOf(address vault) external view returns (BreakerRule memory, uint256) {
        return (_states[vault].rule, _states[vault].peak);
    }

    /// @inheritdoc ICircuitBreaker
    function worth(address vault) public view returns (uint256 equity) {
        State storage state = _states[vault];
        Prices memory prices =
            Prices(vault, state.rule.numeraire, state.pools, new int24[](state.pools.length));
        for (uint256 i = 0; i < prices.pools.length; ++i) {
            Watched memory watched = prices.pools[i];
            prices.ticks[i] = TwapBound.twapTick(IUniswapV3Pool(watched.pool), watched.twapSeconds);
        }
        for (uint256 i = 0; i < state.tokens.length; ++i) {
            address token = state.tokens[i];
            equity += _priced(prices, token, IERC20(token).balanceOf(vault));
        }
        Opened[MOST_POSITIONS] storage opened = _opened[vault];
        for (uint256 i = 0; i < MOST_POSITIONS; ++i) {
            Opened memory position = opened[i];
            if (position.manager == address(0)) break;
            if (_holds(vault, position)) equity += _position(prices, position);
        }
    }

    function _requirePrices(State storage state) private view {
        Prices memory prices =
            Prices(msg.sender, state.rule.numeraire, state.pools, new int24[](state.pools.length));
        for (uint256 i = 0; i < state.tokens.length; ++i) {
            _priced(prices, state.tokens[i], 0);
        }
    }

    /// @dev A position that was burned has no owner, and asking for him reverts.
    function _holds(address vault, Opened memory position) private view returns (bool) {
        try INonfungiblePositionManager(position.manager).ownerOf(position.id) returns (address owner) {
            return owner == vault;
        } catch {
            return false;
        }
    }

    /// @dev A position in a pool that the rules don't name is worth nothing here.
    function _position(Prices memory prices, Opened memory position) private view returns (uint256) {
        Held memory held;
        (
            ,,
            held.token0,
            held.token1,
            held.fee,
            held.tickLower,
            held.tickUpper,
            held.liquidity,,,
            held.owed0,
            held.owed1
        ) = INonfungiblePositionManager(position.manager).positions(position.id);
        for (uint256 i = 0; i < prices.pools.length; ++i) {
            Watched memory watched = prices.pools[i];
            if (watched.token0 != held.token0 || watched.token1 != held.token1 || watched.fee != held.fee) {
                continue;
            }
            (uint256 amount0, uint256 amount1) =
                LiquidityAmounts.amountsAt(prices.ticks[i], held.tickLower, held.tickUpper, held.liquidity);
            return _priced(prices, held.token0, amount0 + held.owed0)
                + _priced(prices, held.token1, amount1 + held.owed1);
        }
        return 0;
    }

    function _priced(Prices memory prices, address token, uint256 amount) private pure returns (uint256) {
        address numeraire = prices.numeraire;
        if (token == numeraire) return amount;
        bool isToken0 = token < numeraire;
        (address token0, address token1) = isToken0 ? (token, numeraire) : (numeraire, token);
        for (uint256 i = 0; i < prices.pools.length; ++i) {
            Watched memory watched = prices.pools[i];
            if (watched.token0 != token0 || watched.token1 != token1) continue;
            return TickPrice.quoteAtTick(prices.ticks[i], amount, isToken0);
        }
        revert TokenWithoutPrice(token);
    }
}
