// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DecisionAudit} from "../../src/DecisionAudit.sol";
import {Anchor, Decision} from "../../src/interfaces/IDecisionAudit.sol";
import {Assertions} from "./Vm.sol";

/// @dev An audit whose registrar is the test, with a vault that is bound to an agent.
abstract contract AuditFixture is Assertions {
    uint256 internal constant AGENT = 7;
    bytes internal constant PAYLOAD = '{"reason":"because"}';

    address internal immutable vault = address(0x7A17);
    address internal immutable stranger = address(0x574A);
    DecisionAudit internal audit;

    function setUp() public {
        audit = DecisionAudit(_deployOurs("DecisionAudit", abi.encode(address(this))));
        audit.bindVault(AGENT, vault);
    }

    function _next() internal view returns (Decision memory decision) {
        (, uint64 next, bytes32 last,) = audit.agentOf(AGENT);
        uint256 parent = vm.getBlockNumber() - 1;
        decision.agentId = AGENT;
        decision.sequence = next;
        decision.previousDigest = last;
        decision.blockNumber = uint64(parent);
        decision.blockHash = blockhash(parent);
        decision.forecast = -5;
        decision.action = 7;
        decision.payloadDigest = keccak256(PAYLOAD);
    }

    function _record(Decision memory decision) internal returns (uint256) {
        vm.prank(vault);
        return audit.record(_none(), decision, PAYLOAD);
    }

    function _rejects(Decision memory decision, bytes memory reason) internal {
        vm.prank(vault);
        vm.expectRevert(reason);
        audit.record(_none(), decision, PAYLOAD);
    }

    function _none() internal pure returns (Anchor memory none) {}
}
