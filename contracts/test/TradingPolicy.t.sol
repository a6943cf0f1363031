// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    IAgentVault,
    Call,
    PolicyConfig,
    PoolRule,
    TargetRule,
    TokenRule
} from "../src/interfaces/IAgentVault.sol";
import {INonfungiblePositionManager, ISwapRouter02} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {UniswapCalls} from "../src/libraries/UniswapCalls.sol";
import {StandinToken} from "../src/standin/StandinToken.sol";
import {VaultFixture} from "./support/VaultFixture.sol";
import {IPoolSetup} from "./support/UniswapMarket.sol";

/// @dev Which calls the policy lets through, on Uniswap's own contracts: beside each one that passes, those that don't.
contract TradingPolicyTest is VaultFixture {
    // Targets and functions

    function test_OnlyNamedTargetsAreCalled(address target) public {
        vm.assume(target != address(router) && target != address(manager));
        Call[] memory calls = _swapCall(1 ether);
        calls[0].target = target;
        _executeReverts(calls, abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, target));
    }

    function test_TokensCantBeCalled() public {
        bytes memory theft = abi.encodeCall(usd.transfer, (thief, FUNDS));
        _executeReverts(
            _one(address(usd), theft),
            abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(usd))
        );
    }

    function test_OnlyNamedFunctionsAreCalled(bytes4 selector, bytes calldata arguments) public {
        vm.assume(selector != ISwapRouter02.exactInputSingle.selector);
        _executeReverts(
            _one(address(router), bytes.concat(selector, arguments)),
            abi.encodeWithSelector(TradingPolicy.SelectorNotAllowed.selector, address(router), selector)
        );
    }

    function test_AMulticallHidesNothing() public {
        bytes[] memory hidden = new bytes[](1);
        hidden[0] = abi.encodeWithSignature("pull(address,uint256)", address(usd), FUNDS);
        bytes memory data = abi.encodeWithSignature("multicall(bytes[])", hidden);
        _executeReverts(
            _one(address(router), data),
            abi.encodeWithSelector(TradingPolicy.SelectorNotAllowed.selector, address(router), bytes4(data))
        );
    }

    function test_APositionIsNotApprovedToAnyone() public {
        uint256 positionId = _openPosition();
        bytes memory data = abi.encodeWithSignature("approve(address,uint256)", thief, positionId);
        _executeReverts(
            _one(address(manager), data),
            abi.encodeWithSelector(TradingPolicy.SelectorNotAllowed.selector, address(manager), bytes4(data))
        );
    }

    function test_AFunctionThePolicyLeavesOutIsNotCalled() public {
        PolicyConfig memory policy = _policy();
        policy.targets[1].selectors = new bytes4[](0);
        policy.targets[0].selectors[0] = ISwapRouter02.exactInputSingle.selector;
        _setPolicy(policy);
        _executeReverts(
            _mintCall(_mintParams(address(usd), address(vault), -600, 600, 1 ether)),
            abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(manager))
        );
        _execute(_swapCall(1 ether));
    }

    function test_ArgumentsAreAsLongAsTheyAre(uint8 extra) public {
        Call[] memory calls = _swapCall(1 ether);
        calls[0].data = bytes.concat(calls[0].data, new bytes(within(extra, 1, 255)));
        bytes4 selector = ISwapRouter02.exactInputSingle.selector;
        _executeReverts(
            calls, abi.encodeWithSelector(UniswapCalls.MalformedCall.selector, selector, calls[0].data.length)
        );
        _executeReverts(
            _one(address(router), abi.encodePacked(selector)),
            abi.encodeWithSelector(UniswapCalls.MalformedCall.selector, selector, 4)
        );
    }

    // Recipients

    function test_ASwapPaysTheVault(address recipient) public {
        vm.assume(recipient != address(vault));
        _executeReverts(
            _swapCall(_swapParams(address(usd), address(weth), recipient, 1 ether)),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, recipient)
        );
    }

    function test_TheRoutersNamesForOthersAreNotTheVault() public {
        // The router takes address 1 for its caller and address 2 for itself, where anyone can fetch what is left.
        for (uint160 i = 0; i < 3; ++i) {
            test_ASwapPaysTheVault(address(i));
        }
    }

    function test_ANewPositionIsTheVaults(address recipient) public {
        vm.assume(recipient != address(vault));
        _executeReverts(
            _mintCall(_mintParams(address(usd), recipient, -600, 600, 1 ether)),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, recipient)
        );
    }

    function test_FeesAreCollectedForTheVault(address recipient) public {
        vm.assume(recipient != address(vault));
        uint256 positionId = _openPosition();
        _executeReverts(
            _collectCall(positionId, recipient),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, recipient)
        );
    }

    // Tokens and pools

    function test_AnUnnamedTokenIsNotBought() public {
        StandinToken worthless = _newToken("Worthless", "NIL");
        _openPool(address(worthless));
        _executeReverts(
            _swapCall(_swapParams(address(weth), address(worthless), address(vault), 1 ether)),
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(worthless))
        );
    }

    function test_AnUnnamedTokenIsNotSold() public {
        StandinToken worthless = _newToken("Worthless", "NIL");
        _executeReverts(
            _swapCall(_swapParams(address(worthless), address(weth), address(vault), 1 ether)),
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(worthless))
        );
    }

    function test_AnUnnamedPoolIsNotTradedIn() public {
        ISwapRouter02.ExactInputSingleParams memory params =
            _swapParams(address(usd), address(weth), address(vault), 1 ether);
        params.fee = 3000;
        _executeReverts(
            _swapCall(params),
            abi.encodeWithSelector(
                TradingPolicy.PoolNotAllowed.selector, address(usd), address(weth), uint24(3000)
            )
        );
    }

    function test_NoLiquidityForAnUnnamedPool() public {
        INonfungiblePositionManager.MintParams memory params =
            _mintParams(address(usd), address(vault), -600, 600, 1 ether);
        params.fee = 10_000;
        _executeReverts(
            _mintCall(params),
            abi.encodeWithSelector(
                TradingPolicy.PoolNotAllowed.selector, params.token0, params.token1, uint24(10_000)
            )
        );
    }

    function test_ASwapIsOfSomething() public {
        _executeReverts(_swapCall(0), abi.encodeWithSelector(TradingPolicy.NothingToSwap.selector));
    }

    // Positions

    function test_ThePositionsWholeLife() public {
        uint256 positionId = _openPosition();
        _execute(_increaseCall(positionId, 10 ether));
        (,,,,,,, uint128 liquidity,,,,) = manager.positions(positionId);
        Call[] memory calls = new Call[](3);
        calls[0] = _decreaseCall(positionId, liquidity)[0];
        calls[1] = _collectCall(positionId, address(vault))[0];
        calls[2] = _burnCall(positionId)[0];
        _execute(calls);
        // A position gives back a unit less than it took, of each token and each time it was added to.
        assertTrue(usd.balanceOf(address(vault)) >= FUNDS - 2, "the dollars are back");
        assertTrue(weth.balanceOf(address(vault)) >= FUNDS - 2, "the ether is back");
        _noAllowances();
    }

    function test_AStrangersPositionIsNotTouched() public {
        uint256 foreign = _makerMints(address(usd), maker);
        bytes memory reason = abi.encodeWithSelector(TradingPolicy.PositionNotOwned.selector, foreign);
        _executeReverts(_increaseCall(foreign, 1 ether), reason);
        _executeReverts(_decreaseCall(foreign, 1), reason);
        _executeReverts(_collectCall(foreign, address(vault)), reason);
        _executeReverts(_burnCall(foreign), reason);
    }

    function test_APositionInAnUnnamedPoolIsNotTouched() public {
        StandinToken worthless = _newToken("Worthless", "NIL");
        _openPool(address(worthless));
        uint256 gift = _makerMints(address(worthless), address(vault));
        bytes memory reason =
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(worthless));
        _executeReverts(_increaseCall(gift, 1 ether), reason);
        _executeReverts(_decreaseCall(gift, 1), reason);
        _executeReverts(_collectCall(gift, address(vault)), reason);
        _executeReverts(_burnCall(gift), reason);
    }

    // Allowances

    function test_ASwapLeavesNoAllowance(uint256 amount) public {
        _execute(_swapCall(within(amount, 1, FUNDS)));
        _noAllowances();
    }

    function test_ASwapThatStopsEarlyLeavesNoAllowance() public {
        ISwapRouter02.ExactInputSingleParams memory params =
            _swapParams(address(usd), address(weth), address(vault), FUNDS);
        // A hundredth of a basis point from the price: the swap stops there, most of the dollars unspent.
        bool zeroForOne = address(usd) < address(weth);
        params.sqrtPriceLimitX96 = zeroForOne ? PRICE_ONE - PRICE_ONE / 1e6 : PRICE_ONE + PRICE_ONE / 1e6;
        _execute(_swapCall(params));
        assertTrue(usd.balanceOf(address(vault)) > FUNDS / 2, "dollars that weren't spent");
        _noAllowances();
    }

    function test_ANewPositionLeavesNoAllowance() public {
        _execute(_mintCall(_mintParams(address(usd), address(vault), 100, 600, FUNDS)));
        _noAllowances();
    }

    // Policies

    function test_AReplacedPolicyIsForgotten() public {
        PolicyConfig memory none;
        vm.expectEmit(address(vault));
        emit IAgentVault.PolicyReplaced(2, none);
        _setPolicy(none);
        assertTrue(
            !vault.isCallAllowed(address(router), ISwapRouter02.exactInputSingle.selector), "the old target"
        );
        (bool tokenAllowed,,,) = vault.tokenLimits(address(usd));
        assertTrue(!tokenAllowed, "the old token");
        (bool poolAllowed,,,) = vault.poolLimits(address(usd), address(weth), FEE);
        assertTrue(!poolAllowed, "the old pool");
        _executeReverts(
            _swapCall(1 ether),
            abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(router))
        );
    }

    function test_APolicySaysWhatItAllows() public {
        PolicyConfig memory policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), 5, 6, NO_CAP);
        policy.pools[0] = PoolRule(address(pool), 300, 50);
        _setPolicy(policy);
        assertTrue(vault.isCallAllowed(address(router), ISwapRouter02.exactInputSingle.selector), "swaps");
        assertTrue(
            !vault.isCallAllowed(address(router), INonfungiblePositionManager.mint.selector),
            "mints by the router"
        );
        assertTrue(!vault.isCallAllowed(address(router), 0x12345678), "anything");
        (bool allowed, uint120 maxPerTrade, uint120 maxPerDay,) = vault.tokenLimits(address(usd));
        assertTrue(allowed && maxPerTrade == 5 && maxPerDay == 6, "the token's rule");
        (bool known, address at, uint32 twapSeconds, uint24 deviation) =
            vault.poolLimits(address(weth), address(usd), FEE);
        assertTrue(known && at == address(pool) && twapSeconds == 300 && deviation == 50, "the pool's rule");
        assertEq(vault.spendable(address(thief)), 0, "an unnamed token");
    }

    function test_APolicyAllowsOnlyWhatIsUnderstood() public {
        PolicyConfig memory policy = _policy();
        policy.targets[0].selectors[0] = 0x12345678;
        _policyReverts(
            policy, abi.encodeWithSelector(TradingPolicy.UnknownSelector.selector, bytes4(0x12345678))
        );
    }

    function test_APoolsTokensAreNamed() public {
        PolicyConfig memory policy = _policy();
        policy.tokens[1].token = address(thief);
        _policyReverts(policy, abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(weth)));
    }

    function test_APoolIsOfTheTargetsFactory() public {
        // A contract that says of itself what the true pool says.
        FalsePool lookalike = new FalsePool(pool);
        PolicyConfig memory policy = _policy();
        policy.pools[0].pool = address(lookalike);
        _policyReverts(
            policy,
            abi.encodeWithSelector(
                TradingPolicy.PoolNotOfFactory.selector, address(router), address(lookalike)
            )
        );
    }

    function test_ATokenIsNoTarget() public {
        PolicyConfig memory policy = _policy();
        policy.targets[1].target = address(usd);
        (bool ok,) = address(factory).call(abi.encodeCall(factory.createVault, (owner, agentKey, policy)));
        assertTrue(!ok, "a token has no factory, so it is no target");
    }

    function _makerMints(address token, address recipient) private returns (uint256 positionId) {
        _give(token, maker, 1 ether);
        _giveWeth(maker, 1 ether);
        vm.prank(maker);
        (positionId,,,) = manager.mint(_mintParams(token, recipient, -600, 600, 1 ether));
    }

    function _policyReverts(PolicyConfig memory policy, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.createVault(owner, agentKey, policy);
    }

    function _increaseCall(uint256 positionId, uint256 amount) private view returns (Call[] memory) {
        return _one(
            address(manager),
            abi.encodeCall(
                INonfungiblePositionManager.increaseLiquidity,
                (INonfungiblePositionManager.IncreaseLiquidityParams(
                        positionId, amount, amount, 0, 0, DEADLINE
                    ))
            )
        );
    }

    function _decreaseCall(uint256 positionId, uint128 liquidity) private view returns (Call[] memory) {
        return _one(
            address(manager),
            abi.encodeCall(
                INonfungiblePositionManager.decreaseLiquidity,
                (INonfungiblePositionManager.DecreaseLiquidityParams(positionId, liquidity, 0, 0, DEADLINE))
            )
        );
    }

    function _collectCall(uint256 positionId, address recipient) private view returns (Call[] memory) {
        return _one(
            address(manager),
            abi.encodeCall(
                INonfungiblePositionManager.collect,
                (INonfungiblePositionManager.CollectParams(
                        positionId, recipient, type(uint128).max, type(uint128).max
                    ))
            )
        );
    }

    function _burnCall(uint256 positionId) private view returns (Call[] memory) {
        return _one(address(manager), abi.encodeCall(INonfungiblePositionManager.burn, (positionId)));
    }

    function _noAllowances() private view {
        assertEq(usd.allowance(address(vault), address(router)), 0, "dollars for the router");
        assertEq(usd.allowance(address(vault), address(manager)), 0, "dollars for the manager");
        assertEq(weth.allowance(address(vault), address(router)), 0, "ether for the router");
        assertEq(weth.allowance(address(vault), address(manager)), 0, "ether for the manager");
    }
}

contract FalsePool {
    address public immutable token0;
    address public immutable token1;
    uint24 public immutable fee;

    constructor(IPoolSetup pool) {
        (token0, token1, fee) = (pool.token0(), pool.token1(), pool.fee());
    }
}
