// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Call, PolicyConfig, PoolRule, TargetRule, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {ISwapRouter02} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {TwapBound} from "../src/libraries/TwapBound.sol";
import {UniswapCalls} from "../src/libraries/UniswapCalls.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

interface IPairs {
    function createPair(address tokenA, address tokenB) external returns (address);
}

interface IPair {
    function mint(address to) external returns (uint256);
    function getReserves() external view returns (uint112, uint112, uint32);
}

interface IPairRouter {
    function factoryV2() external view returns (address);
}

/// @dev Swaps in a true pair of Uniswap v2, held against the average price of the v3 pool of its tokens.
contract PairSwapTest is VaultFixture {
    uint32 private constant TWAP_SECONDS = 300;
    uint24 private constant DEVIATION = 100;
    uint256 private constant DEPTH = 100_000 ether;

    address private pair;

    function setUp() public override {
        super.setUp();
        pair = IPairs(IPairRouter(address(router)).factoryV2()).createPair(address(usd), address(weth));
        _give(address(usd), pair, DEPTH);
        _giveWeth(maker, DEPTH);
        vm.prank(maker);
        weth.transfer(pair, DEPTH);
        IPair(pair).mint(maker);
        _setPolicy(_policyWithPair(TWAP_SECONDS));
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
    }

    function test_ASwapPaysTheVaultWhatThePairGives() public {
        uint256 given = _given(10 ether);
        uint256 before = weth.balanceOf(address(vault));
        (, bytes[] memory results) = _execute(_sell(address(usd), 10 ether, given));
        assertEq(abi.decode(results[0], (uint256)), given, "what the router says");
        assertEq(weth.balanceOf(address(vault)) - before, given, "what the vault got");
        assertEq(usd.balanceOf(address(vault)), FUNDS - 10 ether, "what it paid");
        assertEq(usd.allowance(address(vault), address(router)), 0, "what is left of the allowance");
    }

    function test_WithoutTheFunctionInItsPolicyNothingIsSwapped() public {
        PolicyConfig memory policy = _policy();
        vm.prank(owner);
        vault.setPolicy(policy);
        (, uint256 effectiveAt) = vault.proposal();
        vm.warp(effectiveAt);
        vm.prank(owner);
        vault.applyPolicy(policy);
        Call[] memory calls = _sell(address(usd), 1 ether, 0);
        _executeReverts(
            calls,
            abi.encodeWithSelector(
                TradingPolicy.SelectorNotAllowed.selector,
                address(router),
                ISwapRouter02.swapExactTokensForTokens.selector
            )
        );
    }

    function test_ToAllowItLoosensThePolicy() public {
        _setPolicy(_policy());
        vm.prank(owner);
        vault.setPolicy(_policyWithPair(TWAP_SECONDS));
        (, uint256 effectiveAt) = vault.proposal();
        assertTrue(effectiveAt > vm.getBlockTimestamp(), "it has to wait");
    }

    function test_ThePoolsAverageIsTheBound(uint256 amount, uint256 minimum) public {
        amount = within(amount, 1e6, FUNDS);
        uint256 bound = _bound(amount);
        minimum = within(minimum, 0, bound - 1);
        bytes memory reason = abi.encodeWithSelector(TwapBound.MinimumOutTooLow.selector, minimum, bound);
        _executeReverts(_sell(address(usd), amount, minimum), reason);
        _executeReverts(_sell(address(weth), amount, minimum), reason);
    }

    function test_APushedPairGivesTheThiefNothing() public {
        // The thief sells dollars to the pair before the vault does, and would buy them back behind it.
        _give(address(usd), thief, DEPTH);
        vm.prank(thief);
        usd.approve(address(router), type(uint256).max);
        vm.prank(thief);
        router.swapExactTokensForTokens(DEPTH / 20, 0, _path(address(usd)), thief);
        uint256 amount = 10 ether;
        _executeReverts(
            _sell(address(usd), amount, 0),
            abi.encodeWithSelector(TwapBound.MinimumOutTooLow.selector, 0, _bound(amount))
        );
        _executeReverts(
            _sell(address(usd), amount, _bound(amount)),
            abi.encodeWithSignature("Error(string)", "Too little received")
        );
    }

    function test_OnlyTheVaultIsPaid() public {
        _executeReverts(
            _swapPair(1 ether, _bound(1 ether), _path(address(usd)), thief),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
        // What the router takes for itself, and for its caller.
        _executeReverts(
            _swapPair(1 ether, _bound(1 ether), _path(address(usd)), address(2)),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, address(2))
        );
        _executeReverts(
            _swapPair(0, 0, _path(address(usd)), address(vault)),
            abi.encodeWithSelector(TradingPolicy.NothingToSwap.selector)
        );
    }

    function test_APathIsOfTwoTokensOfAPool() public {
        address other = address(_newToken("Other", "OTH"));
        address[] memory path = _path(address(usd));
        path[1] = other;
        _executeReverts(
            _swapPair(1 ether, 1 ether, path, address(vault)),
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, other)
        );
        address[] memory longer = new address[](3);
        (longer[0], longer[1], longer[2]) = (address(usd), other, address(weth));
        Call[] memory calls = _swapPair(1 ether, 1 ether, longer, address(vault));
        _executeReverts(
            calls,
            abi.encodeWithSelector(
                UniswapCalls.MalformedCall.selector,
                ISwapRouter02.swapExactTokensForTokens.selector,
                calls[0].data.length
            )
        );
        // The length of a path of one, and an offset into nowhere, in calldata of the right size.
        bytes memory data = _swapPair(1 ether, 1 ether, _path(address(usd)), address(vault))[0].data;
        for (uint256 word = 2; word <= 4; word += 2) {
            bytes memory bent = bytes.concat(data);
            bent[4 + 32 * word + 31] = 0x01;
            _executeReverts(
                _one(address(router), bent),
                abi.encodeWithSelector(
                    UniswapCalls.MalformedCall.selector,
                    ISwapRouter02.swapExactTokensForTokens.selector,
                    bent.length
                )
            );
        }
    }

    function test_WhatItSellsCountsAsATrade() public {
        PolicyConfig memory policy = _policyWithPair(TWAP_SECONDS);
        policy.tokens[0] = TokenRule(address(usd), 1 ether, NO_CAP, NO_CAP);
        _setPolicy(policy);
        _execute(_sell(address(usd), 1 ether, _bound(1 ether)));
        _executeReverts(
            _sell(address(usd), 2 ether, _bound(2 ether)),
            abi.encodeWithSelector(TradingPolicy.TradeCapExceeded.selector, address(usd), 2 ether, 1 ether)
        );
    }

    function test_ThePolicySaysWhatBoundsThePair() public view {
        (bool allowed, address sister, uint32 twapSeconds, uint24 deviation) =
            vault.poolLimits(address(weth), address(usd), type(uint24).max);
        assertTrue(allowed, "there is one");
        assertEq(sister, address(pool), "the pool of its tokens");
        assertEq(twapSeconds, TWAP_SECONDS, "its average");
        assertEq(deviation, DEVIATION, "its tolerance");
    }

    function test_NoPoolCanHaveTheFeeThatStandsForAPair() public {
        (bool made,) = address(uniswap)
            .call(abi.encodeWithSignature("enableFeeAmount(uint24,int24)", type(uint24).max, int24(1)));
        assertTrue(!made, "the factory refuses it");
    }

    function _policyWithPair(uint32 twapSeconds) private view returns (PolicyConfig memory policy) {
        policy = _policy();
        policy.targets[0].selectors = new bytes4[](2);
        policy.targets[0].selectors[0] = ISwapRouter02.exactInputSingle.selector;
        policy.targets[0].selectors[1] = ISwapRouter02.swapExactTokensForTokens.selector;
        policy.pools[0] = PoolRule(address(pool), twapSeconds, DEVIATION);
    }

    function _sell(address token, uint256 amount, uint256 minimum) private view returns (Call[] memory) {
        return _swapPair(amount, minimum, _path(token), address(vault));
    }

    function _swapPair(uint256 amount, uint256 minimum, address[] memory path, address to)
        private
        view
        returns (Call[] memory)
    {
        return _one(
            address(router),
            abi.encodeCall(ISwapRouter02.swapExactTokensForTokens, (amount, minimum, path, to))
        );
    }

    function _path(address sold) private view returns (address[] memory path) {
        path = new address[](2);
        path[0] = sold;
        path[1] = sold == address(usd) ? address(weth) : address(usd);
    }

    /// @dev What the pair's own formula gives while both reserves are the same.
    function _given(uint256 amount) private view returns (uint256) {
        (uint256 reserve,,) = IPair(pair).getReserves();
        return amount * 997 * reserve / (reserve * 1000 + amount * 997);
    }

    /// @dev At a price of one, less the tolerance; both directions ask for the same.
    function _bound(uint256 amount) private pure returns (uint256) {
        return TickPrice.quoteAtTick(-int24(DEVIATION), amount, true);
    }
}
