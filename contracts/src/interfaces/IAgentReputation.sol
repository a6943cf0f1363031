// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What clients say of agents (ERC-8004, reputation registry)
/// @notice Anyone but those who act for an agent may give feedback: a number with decimals, two tags, and where to read
/// more. Whose word counts is for the reader to say: summaries are of the clients he names.
/// @dev A client's feedback on an agent is numbered from 1.
interface IAgentReputation {
    /// @notice A client gave feedback.
    event NewFeedback(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        int128 value,
        uint8 valueDecimals,
        string indexed indexedTag1,
        string tag1,
        string tag2,
        string endpoint,
        string feedbackURI,
        bytes32 feedbackHash
    );

    /// @notice A client took feedback back.
    event FeedbackRevoked(
        uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex
    );

    /// @notice Somebody, the agent or not, responded to feedback.
    event ResponseAppended(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        address indexed responder,
        string responseURI,
        bytes32 responseHash
    );

    /// @notice The identity registry is set once.
    error AlreadyInitialized();
    /// @notice There is no identity registry at address zero.
    error ZeroRegistry();
    /// @notice Nobody gives feedback on an agent that he acts for.
    error SelfFeedback(address caller, uint256 agentId);
    /// @notice At most 18 decimals.
    error TooManyDecimals(uint8 valueDecimals);
    /// @notice A value lies within plus and minus 10**38.
    error ValueOutOfRange(int128 value);
    /// @notice The client gave no such feedback.
    error FeedbackNotFound(uint256 agentId, address clientAddress, uint64 feedbackIndex);
    /// @notice The feedback was taken back already.
    error AlreadyRevoked(uint256 agentId, address clientAddress, uint64 feedbackIndex);
    /// @notice A response is somewhere to be read.
    error EmptyResponse();
    /// @notice A summary names its clients: one over all of them is one over whoever made them up.
    error NoClients();

    /// @notice Say which identity registry counts, once.
    function initialize(address identityRegistry_) external;

    /// @notice The registry whose agents feedback is on.
    function getIdentityRegistry() external view returns (address);

    /// @notice Give feedback on an agent.
    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external;

    /// @notice Take feedback back.
    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external;

    /// @notice Respond to feedback.
    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external;

    /// @notice The mean of what some clients said, in the decimals most of them used.
    /// @param tag1 Only feedback with this tag; empty for any. The same for `tag2`.
    function getSummary(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2
    ) external view returns (uint64 count, int128 summaryValue, uint8 summaryValueDecimals);

    /// @notice One piece of feedback.
    function readFeedback(uint256 agentId, address clientAddress, uint64 feedbackIndex)
        external
        view
        returns (int128 value, uint8 valueDecimals, string memory tag1, string memory tag2, bool isRevoked);

    /// @notice Feedback of some clients, or of all where none is named.
    function readAllFeedback(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2,
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
        );

    /// @notice How many responses there are: to any feedback where the client is zero, to any of his where the index is 0,
    /// by anyone where no responder is named.
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count);

    /// @notice Everyone who gave feedback on an agent.
    function getClients(uint256 agentId) external view returns (address[] memory);

    /// @notice The number of a client's last feedback on an agent; 0 where there is none.
    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64);

    /// @notice The version of the reference contracts that this behaves like.
    function getVersion() external pure returns (string memory);
}
