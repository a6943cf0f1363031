// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title What a record looks like
/// @notice Writes a record's metadata: JSON with a picture (SVG), both as data: URIs, from what is stored of it.
library RecordImage {
    using Strings for uint256;

    /// @notice The token URI of a record.
    /// @param digestPrefix The first bytes of the decision's digest, zeros behind them.
    function tokenURI(uint256 tokenId, uint256 agentId, uint256 sequence, uint8 action, bytes22 digestPrefix)
        internal
        pure
        returns (string memory)
    {
        string memory digest = Strings.toHexString(uint256(bytes32(digestPrefix)) >> 80, 22);
        string memory image = Base64.encode(bytes(_svg(tokenId, agentId, sequence, action, digest)));
        bytes memory json = abi.encodePacked(
            '{"name":"Decision ',
            tokenId.toString(),
            '","description":"A decision of agent ',
            agentId.toString(),
            ", recorded in the transaction that carried it out. It can't be moved.\",",
            '"image":"data:image/svg+xml;base64,',
            image,
            '","attributes":',
            _attributes(agentId, sequence, action, digest),
            "}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    /// @notice What an action is called.
    function actionName(uint8 action) internal pure returns (string memory) {
        string[9] memory names =
            ["hold", "swap", "open", "increase", "decrease", "collect", "close", "rebalance", "batch"];
        return action < names.length ? names[action] : string.concat("action ", uint256(action).toString());
    }

    function _attributes(uint256 agentId, uint256 sequence, uint8 action, string memory digest)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            '[{"trait_type":"agent","value":',
            agentId.toString(),
            '},{"trait_type":"sequence","value":',
            sequence.toString(),
            '},{"trait_type":"action","value":"',
            actionName(action),
            '"},{"trait_type":"digest","value":"',
            digest,
            '"}]'
        );
    }

    function _svg(uint256 tokenId, uint256 agentId, uint256 sequence, uint8 action, string memory digest)
        private
        pure
        returns (string memory)
    {
        return string.concat(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 220" font-family="monospace">',
            '<rect width="400" height="220" rx="12" fill="#10151c"/><rect x="24" y="24" width="6" height="92" fill="',
            _colour(action),
            '"/><text x="46" y="58" font-size="34" fill="#f2f4f8">',
            actionName(action),
            '</text><text x="46" y="108" font-size="18" fill="#9fb0c3">',
            string.concat("agent ", agentId.toString(), ", decision ", sequence.toString()),
            '</text><text x="24" y="164" font-size="13" fill="#9fb0c3">',
            digest,
            '</text><text x="24" y="196" font-size="13" fill="#5f7186">record ',
            tokenId.toString(),
            "</text></svg>"
        );
    }

    /// @dev Trades, liquidity going in, liquidity coming out, several things at once.
    function _colour(uint8 action) private pure returns (string memory) {
        if (action == 1) return "#4aa8ff";
        if (action == 2 || action == 3) return "#41c98a";
        if (action >= 4 && action <= 6) return "#f0a04b";
        if (action == 7 || action == 8) return "#b58cff";
        return "#5f7186";
    }
}
