// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, IAgentVault, PolicyConfig, PoolRule} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {ISwapRouter02, IUniswapV3Pool} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {StandinToken} from "../src/standin/StandinToken.sol";
import {GreedyPool, HookedToken} from "./support/Malicious.sol";
import {AttackFixture} from "./support/AttackFixture.sol";
import {IPoolSetup} from "./support/UniswapMarket.sol";

/// @dev Attempts to pay someone else, to trade worthless things, to keep rights, to come back in.
contract AttacksTest is AttackFixture {
    // Paying someone else

    function test_RecipientSwap() public {
        _refused(
            _poolSwapCall(address(usd), thief, 1 ether, 0.99 ether),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
        _refused(
            _swapCall(_swapParams(address(usd), address(weth), thief, 1 ether)),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
    }

    function test_MulticallHidingATransfer() public {
        bytes[] memory hidden = new bytes[](2);
        hidden[0] = abi.encodeCall(
            ISwapRouter02.exactInputSingle,
            (_swapParams(address(usd), address(weth), address(router), 1 ether))
        );
        hidden[1] = abi.encodeWithSignature("sweepToken(address,uint256,address)", address(weth), 0, thief);
        bytes memory data = abi.encodeWithSignature("multicall(bytes[])", hidden);
        _refused(
            _one(address(router), data),
            abi.encodeWithSelector(TradingPolicy.SelectorNotAllowed.selector, address(router), bytes4(data))
        );
        _refused(
            _one(address(usd), abi.encodeCall(usd.transfer, (thief, 1 ether))),
            abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(usd))
        );
    }

    function test_ArgumentsBehindTheArguments() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0.99 ether);
        calls[0].data = bytes.concat(calls[0].data, abi.encode(thief));
        bytes4 selector = IUniswapV3Pool.swap.selector;
        _refused(
            calls, abi.encodeWithSignature("MalformedCall(bytes4,uint256)", selector, calls[0].data.length)
        );
        // The minimum's offset points elsewhere, where the reader would see another number than the pool hands back.
        calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0.99 ether);
        calls[0].data[4 + 4 * 32 + 31] = 0x80;
        _refused(
            calls, abi.encodeWithSignature("MalformedCall(bytes4,uint256)", selector, calls[0].data.length)
        );
    }

    // Worthless things

    function test_MaliciousToken() public {
        StandinToken worthless = _newToken("Worthless", "NIL");
        IPoolSetup trap = _openPool(address(worthless));
        _refused(
            _swapCall(_swapParams(address(weth), address(worthless), address(vault), 1 ether)),
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(worthless))
        );
        Call[] memory calls = _poolSwapCall(address(weth), address(vault), 1 ether, 0);
        calls[0].target = address(trap);
        _refused(calls, abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(trap)));
    }

    function test_MaliciousPoolWithARealToken() public {
        GreedyPool greedy = new GreedyPool(address(usd), address(weth));
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0);
        calls[0].target = address(greedy);
        _refused(calls, abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(greedy)));
        // Out of turn, no pool is paid: not a false one, not the true one's neighbour, not the thief.
        vm.expectRevert(abi.encodeWithSelector(TradingPolicy.NotSwappingIn.selector, address(greedy)));
        greedy.collect(address(vault));
        vm.prank(address(pool));
        (bool ok,) = address(vault)
            .call(
                abi.encodeWithSignature("uniswapV3SwapCallback(int256,int256,bytes)", 1 ether, int256(0), "")
            );
        assertTrue(!ok, "the true pool is paid within a swap only");
        _nothingStolen();
    }

    // Rights that outlive the transaction

    function test_PermitSignature() public {
        // The vault signs for nobody: it isn't an account with a key, nor a contract that vouches for signatures.
        (bool ok, bytes memory answer) = address(vault)
            .call(
                abi.encodeWithSignature("isValidSignature(bytes32,bytes)", keccak256("permit"), new bytes(65))
            );
        assertTrue(!ok || answer.length == 0, "no signature is the vault's");
        bytes memory permit = abi.encodeWithSignature(
            "permit(address,uint256,uint256,uint8,bytes32,bytes32)",
            thief,
            1,
            DEADLINE,
            27,
            bytes32(0),
            bytes32(0)
        );
        _refused(
            _one(address(manager), permit),
            abi.encodeWithSelector(
                TradingPolicy.SelectorNotAllowed.selector, address(manager), bytes4(permit)
            )
        );
        bytes memory selfPermit = abi.encodeWithSignature(
            "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)",
            usd,
            1,
            DEADLINE,
            27,
            bytes32(0),
            bytes32(0)
        );
        _refused(
            _one(address(router), selfPermit),
            abi.encodeWithSelector(
                TradingPolicy.SelectorNotAllowed.selector, address(router), bytes4(selfPermit)
            )
        );
    }

    function test_NftApproval() public {
        (, bytes[] memory results) =
            _execute(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 5 ether)));
        (uint256 positionId,,,) = abi.decode(results[0], (uint256, uint128, uint256, uint256));
        bytes[3] memory grabs = [
            abi.encodeWithSignature("approve(address,uint256)", thief, positionId),
            abi.encodeWithSignature("setApprovalForAll(address,bool)", thief, true),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,uint256)", address(vault), thief, positionId
            )
        ];
        for (uint256 i = 0; i < grabs.length; ++i) {
            _executeReverts(
                _one(address(manager), grabs[i]),
                abi.encodeWithSelector(
                    TradingPolicy.SelectorNotAllowed.selector, address(manager), bytes4(grabs[i])
                )
            );
        }
        assertEq(manager.ownerOf(positionId), address(vault), "whose position it is");
    }

    function test_AllowanceLeftBehind() public {
        // The position takes less than it is lent: the rest is taken back.
        _execute(_mintCall(_mintParams(address(usd), address(vault), 600, 1200, 5 ether)));
        assertEq(usd.allowance(address(vault), address(manager)), 0, "dollars");
        assertEq(weth.allowance(address(vault), address(manager)), 0, "ether");
    }

    // Re-entry and gas

    function test_ReentryByAHook() public {
        // A token that calls its sender back, as ERC-777 does, and a vault whose key is that token's accomplice.
        HookedToken hooked = new HookedToken();
        IPoolSetup hookedPool = _openPool(address(hooked));
        PolicyConfig memory policy = _limited();
        policy.tokens[0].token = address(hooked);
        policy.pools[0] = PoolRule(address(hookedPool), 0, 0);
        policy.breaker.maxDrawdownBps = 0;
        (agentId, vault) = _createOwned(policy);
        _give(address(hooked), address(vault), FUNDS);
        vm.prank(_owner());
        vault.rotateAgentKey(address(hooked));
        Call[] memory calls = _swapCall(_swapParams(address(hooked), address(weth), address(vault), 1 ether));
        Decision memory decision = _decide(calls);
        hooked.arm(
            address(vault), abi.encodeCall(IAgentVault.execute, (_nothing(), decision, PAYLOAD, calls))
        );
        vm.prank(address(hooked));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertTrue(hooked.tried(), "it came back");
        assertEq(
            bytes32(hooked.reason()),
            bytes32(bytes4(keccak256("ReentrancyGuardReentrantCall()"))),
            "and was turned away"
        );
        assertEq(hooked.balanceOf(address(vault)), FUNDS - 1 ether, "one swap's worth is gone");
    }

    function test_GasGriefing(uint24 gas_) public {
        // However little gas the key's holder sends along, it is all of it or nothing.
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether));
        Decision memory decision = _decide(calls);
        uint256 before = usd.balanceOf(address(vault));
        vm.prank(agentKey);
        (bool ok,) = address(vault).call{gas: within(gas_, 20_000, 600_000)}(
            abi.encodeCall(IAgentVault.execute, (_nothing(), decision, PAYLOAD, calls))
        );
        (, uint64 next,, uint256 records) = audit.agentOf(agentId);
        assertEq(next, ok ? 1 : 0, "decisions");
        assertEq(records, ok ? 1 : 0, "records");
        assertEq(usd.balanceOf(address(vault)), ok ? before - 1 ether : before, "dollars");
    }

    function test_FloodingWithPositions() public {
        // Positions that nobody asked for neither raise the vault's worth beyond what they hold nor stop its trading.
        for (uint256 i = 0; i < 20; ++i) {
            _give(address(usd), maker, 1 gwei);
            _giveWeth(maker, 1 gwei);
            vm.prank(maker);
            manager.mint(_mintParams(address(usd), address(vault), -600, 600, 1 gwei));
        }
        _wait(3_600);
        _execute(_poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether)));
    }
}
