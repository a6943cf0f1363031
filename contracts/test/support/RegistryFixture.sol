// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AgentIdentity} from "../../src/AgentIdentity.sol";
import {AgentReputation} from "../../src/AgentReputation.sol";
import {AgentValidation} from "../../src/AgentValidation.sol";
import {Assertions} from "./Vm.sol";

/// @dev The three registries, and an agent with its owner and his operator.
abstract contract RegistryFixture is Assertions {
    string internal constant AGENT_URI = "data:application/json;base64,e30=";

    address internal immutable owner = address(0x03E7);
    address internal immutable operator = address(0x09E7);
    address internal immutable stranger = address(0x574A);
    AgentIdentity internal identity;
    AgentReputation internal reputation;
    AgentValidation internal validation;
    uint256 internal agentId;

    function setUp() public {
        identity = AgentIdentity(_deployOurs("AgentIdentity", ""));
        reputation = AgentReputation(_deployOurs("AgentReputation", abi.encode(identity)));
        validation = AgentValidation(_deployOurs("AgentValidation", abi.encode(identity)));
        vm.prank(stranger);
        identity.register();
        vm.prank(owner);
        agentId = identity.register(AGENT_URI);
        vm.prank(owner);
        identity.setApprovalForAll(operator, true);
    }

    function assertText(string memory given, string memory expected, string memory what) internal pure {
        assertEq(keccak256(bytes(given)), keccak256(bytes(expected)), what);
    }
}
