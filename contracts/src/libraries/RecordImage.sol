// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title What a record looks like
/// @notice Writes a record's metadata: JSON with a picture (SVG), both as data: URIs, from what is stored of it.
library RecordImage {
    using Strings for uint256;

    /// @dev A forecast of so many tenths of a basis point fills its half of the scale.
    uint256 private constant FULL_SCALE = 500;
    uint256 private constant HALF_WIDTH = 170;
    string private constant GREY = "#5f7186";

    /// @notice The token URI of a record.
    /// @param forecast In tenths of a basis point.
    /// @param claimed Whether it was anchored, and so moved nothing.
    /// @param vault Whose decision it was.
    function tokenURI(
        uint256 tokenId,
        uint256 agentId,
        uint8 action,
        int16 forecast,
        bool claimed,
        address vault
    ) internal pure returns (string memory) {
        string memory image = Base64.encode(bytes(_svg(tokenId, agentId, action, forecast, claimed, vault)));
        bytes memory json = abi.encodePacked(
            '{"name":"Decision ',
            tokenId.toString(),
            '","description":"A decision of agent ',
            agentId.toString(),
            claimed
                ? ", anchored with others that moved nothing. The token can't be moved.\","
                : ", recorded in the transaction that carried it out. The token can't be moved.\",",
            '"image":"data:image/svg+xml;base64,',
            image,
            '","attributes":',
            _attributes(agentId, action, forecast, claimed, vault)
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    /// @notice What an action is called.
    function actionName(uint8 action) internal pure returns (string memory) {
        string[9] memory names =
            ["hold", "swap", "open", "increase", "decrease", "collect", "close", "rebalance", "batch"];
        return action < names.length ? names[action] : string.concat("action ", uint256(action).toString());
    }

    /// @notice A forecast in basis points, with its sign.
    function inBasisPoints(int16 forecast) internal pure returns (string memory) {
        uint256 size = _size(forecast);
        return string.concat(
            forecast < 0 ? "-" : forecast > 0 ? "+" : "", (size / 10).toString(), ".", (size % 10).toString()
        );
    }

    function _attributes(uint256 agentId, uint8 action, int16 forecast, bool claimed, address vault)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            '[{"trait_type":"agent","value":',
            agentId.toString(),
            '},{"trait_type":"action","value":"',
            actionName(action),
            '"},{"trait_type":"forecast (bp)","value":"',
            inBasisPoints(forecast),
            '"},{"trait_type":"outcome","value":"',
            claimed ? "moved nothing" : "carried out",
            '"},{"trait_type":"vault","value":"',
            Strings.toChecksumHexString(vault),
            '"}]}'
        );
    }

    function _svg(uint256 tokenId, uint256 agentId, uint8 action, int16 forecast, bool claimed, address vault)
        private
        pure
        returns (string memory)
    {
        return string.concat(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 240" font-family="monospace">',
            _title(action, agentId, tokenId, claimed),
            _scale(forecast),
            '<text x="200" y="216" font-size="12" text-anchor="middle" fill="#5f7186">',
            Strings.toChecksumHexString(vault),
            "</text></svg>"
        );
    }

    /// @dev What moved nothing is grey, whatever was wanted.
    function _title(uint8 action, uint256 agentId, uint256 tokenId, bool claimed)
        private
        pure
        returns (string memory)
    {
        return string.concat(
            '<rect width="400" height="240" rx="12" fill="#10151c"/><rect x="24" y="24" width="6" height="62" fill="',
            claimed ? GREY : _colour(action),
            '"/><text x="46" y="54" font-size="34" fill="#f2f4f8">',
            actionName(action),
            '</text><text x="46" y="84" font-size="16" fill="#9fb0c3">agent ',
            agentId.toString(),
            claimed && action != 0 ? ", moved nothing" : "",
            '</text><text x="376" y="54" font-size="16" text-anchor="end" fill="#5f7186">record ',
            tokenId.toString(),
            "</text>"
        );
    }

    /// @dev The forecast as a bar from the middle, to the left where it falls.
    function _scale(int16 forecast) private pure returns (string memory) {
        uint256 size = _size(forecast);
        uint256 length = size >= FULL_SCALE ? HALF_WIDTH : size * HALF_WIDTH / FULL_SCALE;
        return string.concat(
            '<text x="200" y="126" font-size="22" text-anchor="middle" fill="#f2f4f8">',
            forecast == 0 ? "no forecast" : string.concat(inBasisPoints(forecast), " bp forecast"),
            '</text><rect x="30" y="148" width="340" height="18" rx="4" fill="#1b232e"/><rect x="',
            (forecast < 0 ? 200 - length : 200).toString(),
            '" y="148" width="',
            length.toString(),
            '" height="18" fill="',
            forecast < 0 ? "#ef6b73" : "#41c98a",
            '"/><rect x="199" y="142" width="2" height="30" fill="#5f7186"/>'
        );
    }

    function _size(int16 forecast) private pure returns (uint256) {
        return uint256(int256(forecast < 0 ? -int256(forecast) : int256(forecast)));
    }

    /// @dev Trades, liquidity going in, liquidity coming out, several things at once.
    function _colour(uint8 action) private pure returns (string memory) {
        if (action == 1) return "#4aa8ff";
        if (action == 2 || action == 3) return "#41c98a";
        if (action >= 4 && action <= 6) return "#f0a04b";
        if (action == 7 || action == 8) return "#b58cff";
        return GREY;
    }
}
