// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAgentIdentity} from "./interfaces/IAgentIdentity.sol";
import {IAgentReputation} from "./interfaces/IAgentReputation.sol";

/// @title What clients say of agents
/// @notice See {IAgentReputation}. For chains without the canonical registry; nobody has power over it.
contract AgentReputation is IAgentReputation {
    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        bool isRevoked;
        string tag1;
        string tag2;
    }

    struct Responses {
        address[] responders;
        mapping(address responder => uint64) count;
    }

    /// @dev Which feedback a reader wants; an empty tag stands for any.
    struct Wanted {
        uint256 agentId;
        bytes32 tag1;
        bytes32 tag2;
        bool revokedToo;
    }

    struct Listing {
        address[] clients;
        uint64[] indexes;
        int128[] values;
        uint8[] valueDecimals;
        string[] tag1s;
        string[] tag2s;
        bool[] revokedStatuses;
    }

    uint8 private constant MOST_DECIMALS = 18;
    int128 private constant LARGEST_VALUE = 1e38;
    bytes32 private constant ANY_TAG = keccak256("");

    address private _identity;
    mapping(uint256 agentId => address[]) private _clients;
    mapping(uint256 agentId => mapping(address client => uint64)) private _lastIndex;
    mapping(uint256 agentId => mapping(address client => mapping(uint64 index => Feedback))) private
        _feedback;
    mapping(uint256 agentId => mapping(address client => mapping(uint64 index => Responses))) private
        _responses;

    /// @param identityRegistry_ Zero for a contract that `initialize` is called on, such as a proxy's code.
    constructor(address identityRegistry_) {
        if (identityRegistry_ != address(0)) initialize(identityRegistry_);
    }

    /// @inheritdoc IAgentReputation
    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string memory tag1,
        string memory tag2,
        string memory endpoint,
        string memory feedbackURI,
        bytes32 feedbackHash
    ) external {
        uint64 index = _store(agentId, Feedback(value, valueDecimals, false, tag1, tag2));
        emit NewFeedback(
            agentId,
            msg.sender,
            index,
            value,
            valueDecimals,
            tag1,
            tag1,
            tag2,
            endpoint,
            feedbackURI,
            feedbackHash
        );
    }

    /// @inheritdoc IAgentReputation
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        Feedback storage feedback = _known(agentId, msg.sender, feedbackIndex);
        if (feedback.isRevoked) revert AlreadyRevoked(agentId, msg.sender, feedbackIndex);
        feedback.isRevoked = true;
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
    }

    /// @inheritdoc IAgentReputation
    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external {
        _known(agentId, clientAddress, feedbackIndex);
        if (bytes(responseURI).length == 0) revert EmptyResponse();
        Responses storage responses = _responses[agentId][clientAddress][feedbackIndex];
        if (responses.count[msg.sender]++ == 0) responses.responders.push(msg.sender);
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    /// @inheritdoc IAgentReputation
    function getSummary(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2
    ) external view returns (uint64 count, int128 summaryValue, uint8 summaryValueDecimals) {
        if (clientAddresses.length == 0) revert NoClients();
        (address[] memory clients, uint64[] memory indexes) =
            _find(clientAddresses, _wanted(agentId, tag1, tag2, false));
        count = uint64(clients.length);
        if (count != 0) (summaryValue, summaryValueDecimals) = _mean(agentId, clients, indexes);
    }

    /// @inheritdoc IAgentReputation
    function readFeedback(uint256 agentId, address clientAddress, uint64 feedbackIndex)
        external
        view
        returns (int128, uint8, string memory, string memory, bool)
    {
        Feedback storage feedback = _known(agentId, clientAddress, feedbackIndex);
        return (feedback.value, feedback.valueDecimals, feedback.tag1, feedback.tag2, feedback.isRevoked);
    }

    /// @inheritdoc IAgentReputation
    function readAllFeedback(
        uint256 agentId,
        address[] memory clientAddresses,
        string memory tag1,
        string memory tag2,
        bool includeRevoked
    )
        external
        view
        returns (
            address[] memory clients,
            uint64[] memory feedbackIndexes,
            int128[] memory values,
            uint8[] memory valueDecimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revokedStatuses
        )
    {
        Listing memory found = _list(clientAddresses, _wanted(agentId, tag1, tag2, includeRevoked));
        clients = found.clients;
        feedbackIndexes = found.indexes;
        values = found.values;
        valueDecimals = found.valueDecimals;
        tag1s = found.tag1s;
        tag2s = found.tag2s;
        revokedStatuses = found.revokedStatuses;
    }

    /// @inheritdoc IAgentReputation
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count) {
        if (clientAddress != address(0)) {
            return _responsesTo(agentId, clientAddress, feedbackIndex, responders);
        }
        address[] storage clients = _clients[agentId];
        for (uint256 i = 0; i < clients.length; ++i) {
            count += _responsesTo(agentId, clients[i], 0, responders);
        }
    }

    /// @inheritdoc IAgentReputation
    function getIdentityRegistry() external view returns (address) {
        return _identity;
    }

    /// @inheritdoc IAgentReputation
    function getClients(uint256 agentId) external view returns (address[] memory) {
        return _clients[agentId];
    }

    /// @inheritdoc IAgentReputation
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return _lastIndex[agentId][clientAddress];
    }

    /// @inheritdoc IAgentReputation
    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    /// @inheritdoc IAgentReputation
    function initialize(address identityRegistry_) public {
        if (_identity != address(0)) revert AlreadyInitialized();
        if (identityRegistry_ == address(0)) revert ZeroRegistry();
        _identity = identityRegistry_;
    }

    function _store(uint256 agentId, Feedback memory feedback) private returns (uint64 index) {
        if (feedback.valueDecimals > MOST_DECIMALS) revert TooManyDecimals(feedback.valueDecimals);
        if (feedback.value > LARGEST_VALUE || feedback.value < -LARGEST_VALUE) {
            revert ValueOutOfRange(feedback.value);
        }
        if (IAgentIdentity(_identity).isAuthorizedOrOwner(msg.sender, agentId)) {
            revert SelfFeedback(msg.sender, agentId);
        }
        index = ++_lastIndex[agentId][msg.sender];
        if (index == 1) _clients[agentId].push(msg.sender);
        _feedback[agentId][msg.sender][index] = feedback;
    }

    /// @dev In the decimals that most of them have; the fewer ones where as many have others.
    function _mean(uint256 agentId, address[] memory clients, uint64[] memory indexes)
        private
        view
        returns (int128 mean, uint8 decimals)
    {
        uint64[MOST_DECIMALS + 1] memory uses;
        int256 sum = 0;
        for (uint256 i = 0; i < clients.length; ++i) {
            Feedback storage feedback = _feedback[agentId][clients[i]][indexes[i]];
            uint8 its = feedback.valueDecimals;
            sum += feedback.value * int256(10 ** (MOST_DECIMALS - its));
            ++uses[its];
        }
        for (uint8 other = 1; other <= MOST_DECIMALS; ++other) {
            if (uses[other] > uses[decimals]) decimals = other;
        }
        // A mean lies between the values it is of, so it fits.
        mean = int128(sum / int256(clients.length) / int256(10 ** (MOST_DECIMALS - decimals)));
    }

    function _responsesTo(uint256 agentId, address client, uint64 index, address[] calldata responders)
        private
        view
        returns (uint64 count)
    {
        uint64 first = index == 0 ? 1 : index;
        uint64 last = index == 0 ? _lastIndex[agentId][client] : index;
        for (uint64 i = first; i <= last; ++i) {
            Responses storage responses = _responses[agentId][client][i];
            address[] memory counted = responders;
            if (counted.length == 0) counted = responses.responders;
            for (uint256 j = 0; j < counted.length; ++j) {
                count += responses.count[counted[j]];
            }
        }
    }

    function _list(address[] memory among, Wanted memory wanted) private view returns (Listing memory list) {
        if (among.length == 0) among = _clients[wanted.agentId];
        (list.clients, list.indexes) = _find(among, wanted);
        uint256 count = list.clients.length;
        list.values = new int128[](count);
        list.valueDecimals = new uint8[](count);
        list.tag1s = new string[](count);
        list.tag2s = new string[](count);
        list.revokedStatuses = new bool[](count);
        for (uint256 i = 0; i < count; ++i) {
            Feedback storage feedback = _feedback[wanted.agentId][list.clients[i]][list.indexes[i]];
            list.values[i] = feedback.value;
            list.valueDecimals[i] = feedback.valueDecimals;
            list.tag1s[i] = feedback.tag1;
            list.tag2s[i] = feedback.tag2;
            list.revokedStatuses[i] = feedback.isRevoked;
        }
    }

    /// @dev Counts first, then fills: arrays in memory don't grow.
    function _find(address[] memory among, Wanted memory wanted)
        private
        view
        returns (address[] memory clients, uint64[] memory indexes)
    {
        uint256 found = 0;
        for (uint256 pass = 0; pass < 2; ++pass) {
            found = 0;
            for (uint256 i = 0; i < among.length; ++i) {
                uint64 last = _lastIndex[wanted.agentId][among[i]];
                for (uint64 index = 1; index <= last; ++index) {
                    if (!_isWanted(_feedback[wanted.agentId][among[i]][index], wanted)) continue;
                    if (pass == 1) (clients[found], indexes[found]) = (among[i], index);
                    ++found;
                }
            }
            if (pass == 0) (clients, indexes) = (new address[](found), new uint64[](found));
        }
    }

    function _known(uint256 agentId, address client, uint64 index) private view returns (Feedback storage) {
        if (index == 0 || index > _lastIndex[agentId][client]) {
            revert FeedbackNotFound(agentId, client, index);
        }
        return _feedback[agentId][client][index];
    }

    function _wanted(uint256 agentId, string memory tag1, string memory tag2, bool revokedToo)
        private
        pure
        returns (Wanted memory)
    {
        return Wanted(agentId, keccak256(bytes(tag1)), keccak256(bytes(tag2)), revokedToo);
    }

    function _isWanted(Feedback storage feedback, Wanted memory wanted) private view returns (bool) {
        if (feedback.isRevoked && !wanted.revokedToo) return false;
        if (wanted.tag1 != ANY_TAG && keccak256(bytes(feedback.tag1)) != wanted.tag1) return false;
        return wanted.tag2 == ANY_TAG || keccak256(bytes(feedback.tag2)) == wanted.tag2;
    }
}
