// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ILedger
/// @notice The append-only log of batch headers. What is appended can be neither changed nor removed, by anyone.
///
/// Powers of the administrators, all of them:
/// - `DEFAULT_ADMIN_ROLE` grants and revokes both roles. The constructor gives it to `admin`.
/// - `REGISTRAR_ROLE` adds, suspends and reinstates publishers. The constructor gives it to `admin` too, so that a
///   ledger works at once; a careful admin grants it to another account and renounces it.
///
/// A registrar can thus stop a publisher from appending. It cannot append in a publisher's name, cannot skip or repeat
/// one of its sequences, and cannot touch the log. There is no pause, no proxy and no upgrade.
///
/// @dev The log is an RFC 9162 tree: leaf data `abi.encode(header)`, 256 bytes. State proofs may rely on the storage
/// layout: slot 4 holds the size, slot 5 + h the peak of height h wherever bit h of the size is set.
interface ILedger {
    enum Status {
        None,
        Active,
        Suspended
    }

    /// @notice The summary of a batch.
    /// @param publisher who sealed the batch
    /// @param sequence the batch's number among its publisher's, from 0, without gaps
    /// @param recordsRoot root of the records tree
    /// @param recordCount leaves of the records tree
    /// @param indexRoot root of the index tree
    /// @param indexSize leaves (buckets) of the index tree
    /// @param firstTime earliest time of a record, in milliseconds since 1970
    /// @param lastTime latest time of a record, in milliseconds since 1970
    struct Header {
        address publisher;
        uint64 sequence;
        bytes32 recordsRoot;
        uint32 recordCount;
        bytes32 indexRoot;
        uint32 indexSize;
        uint64 firstTime;
        uint64 lastTime;
    }

    /// @notice A header was appended.
    /// @dev `node` lets anyone rebuild the peaks, hence the root, of any size from at most log2(size) events: the peak
    /// that ends before leaf `n` is the `node` of index `n - 1`.
    /// @param index the header's place in the log
    /// @param publisher the header's publisher
    /// @param header the header
    /// @param node root of the perfect subtree that this leaf completes, its height being the number of trailing one
    /// bits of `index`
    event Appended(uint64 indexed index, address indexed publisher, Header header, bytes32 node);

    /// @notice A publisher may append from now on, starting with sequence 0.
    event PublisherAdded(address indexed publisher);

    /// @notice A publisher may no longer append.
    event PublisherSuspended(address indexed publisher);

    /// @notice A suspended publisher may append again, with the sequence where it stopped.
    event PublisherReinstated(address indexed publisher);

    /// @notice The call holds no header.
    error Ledger_NoHeaders();

    /// @notice This address was never added as a publisher.
    error Ledger_PublisherUnknown(address publisher);

    /// @notice This publisher is suspended.
    error Ledger_PublisherSuspended(address publisher);

    /// @notice This publisher is already active.
    error Ledger_PublisherActive(address publisher);

    /// @notice A header names another publisher than the one who appends or signs.
    error Ledger_PublisherMismatch(address expected, address actual);

    /// @notice A header is missing before this one.
    error Ledger_SequenceGap(address publisher, uint64 expected, uint64 actual);

    /// @notice The signed header was appended before.
    error Ledger_SequenceReplayed(address publisher, uint64 expected, uint64 actual);

    /// @notice The header's `recordCount` is 0.
    error Ledger_NoRecords(uint64 sequence);

    /// @notice The header's `indexSize` is 0.
    error Ledger_NoIndex(uint64 sequence);

    /// @notice The header's `firstTime` is after its `lastTime`.
    error Ledger_TimesReversed(uint64 sequence, uint64 firstTime, uint64 lastTime);

    /// @notice The signature was good until `deadline`.
    error Ledger_SignatureExpired(uint256 deadline);

    /// @notice The signature is not the publisher's.
    error Ledger_SignatureInvalid(address publisher);

    /// @notice Appends the caller's headers, in order. A header whose sequence was appended before is skipped without
    /// being looked at, so that a repeated transaction is harmless.
    /// @param headers at least one, all of them the caller's
    function append(Header[] calldata headers) external;

    /// @notice Appends the headers of the publisher who signed them; anyone may send them.
    /// @dev EIP-712 domain: name "Tidemark", version "1", chainId, verifyingContract. Type:
    /// `Append(Header[] headers,uint256 deadline)` with `Header` as above. An account with code signs by ERC-1271. The
    /// sequence serves as nonce: unlike in `append`, a header whose sequence was appended before is refused.
    /// @param headers at least one, all of them of one publisher
    /// @param deadline the last second, in block time, at which the signature is good
    /// @param signature the publisher's
    function appendBySignature(Header[] calldata headers, uint256 deadline, bytes calldata signature) external;

    /// @notice Lets an account append. Only for `REGISTRAR_ROLE`.
    function addPublisher(address account) external;

    /// @notice Stops an active publisher from appending. Only for `REGISTRAR_ROLE`.
    function suspendPublisher(address account) external;

    /// @notice Lets a suspended publisher append again. Only for `REGISTRAR_ROLE`.
    function reinstatePublisher(address account) external;

    /// @notice How many headers the log holds.
    function size() external view returns (uint64);

    /// @notice The RFC 9162 root of the log; SHA-256 of nothing while it is empty.
    function root() external view returns (bytes32);

    /// @notice The roots of the log's perfect subtrees, the largest first.
    function peaks() external view returns (bytes32[] memory);

    /// @notice What is known of a publisher.
    /// @return nextSequence the sequence that its next header must have
    /// @return status `None` if it was never added
    function publisher(address account) external view returns (uint64 nextSequence, Status status);

    /// @notice The block that created this ledger, where an indexer starts.
    function deploymentBlock() external view returns (uint256);

    /// @notice A header's leaf in the log: `SHA-256(0x00 || abi.encode(header))`.
    function headerHash(Header calldata header) external pure returns (bytes32);

    /// @notice Verifies that the log holds a header; reverts if not.
    /// @dev The path ends at the peak, not at the root: see `path`. So it stays valid until that peak is merged into a
    /// larger one, and a proof does not race with new headers; and only two cold slots are read.
    /// @param header the header
    /// @param index its place in the log
    /// @param path the first h elements of its inclusion path (RFC 9162, section 2.1.3), 2^h being the size of the
    /// perfect subtree that covers `index` at the current size: h is the highest bit in which `index` and the size
    /// differ
    function verifyHeader(Header calldata header, uint64 index, bytes32[] calldata path) external view;

    /// @notice Verifies that a batch of the log holds a record; reverts if not.
    /// @param leafHash the record's leaf, `SHA-256(0x00 || record)`
    /// @param recordIndex its place in the batch
    /// @param recordPath its inclusion path in the records tree (RFC 9162, section 2.1.3)
    /// @param header the batch's header
    /// @param headerIndex as `index` in `verifyHeader`
    /// @param headerPath as `path` in `verifyHeader`
    function verifyRecord(
        bytes32 leafHash,
        uint32 recordIndex,
        bytes32[] calldata recordPath,
        Header calldata header,
        uint64 headerIndex,
        bytes32[] calldata headerPath
    ) external view;
}
