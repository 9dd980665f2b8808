// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {MerkleLog} from "./libraries/MerkleLog.sol";

/// @title Ledger
/// @notice See ILedger.
contract Ledger is ILedger, AccessControl, EIP712 {
    using MerkleLog for MerkleLog.Log;
    using MerkleLog for MerkleLog.Draft;

    struct Publisher {
        uint64 nextSequence;
        Status status;
    }

    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    bytes32 private constant HEADER_TYPEHASH = keccak256(
        "Header(address publisher,uint64 sequence,bytes32 recordsRoot,uint32 recordCount,bytes32 indexRoot,uint32 indexSize,uint64 firstTime,uint64 lastTime)"
    );
    bytes32 private constant APPEND_TYPEHASH = keccak256(
        "Append(Header[] headers,uint256 deadline)Header(address publisher,uint64 sequence,bytes32 recordsRoot,uint32 recordCount,bytes32 indexRoot,uint32 indexSize,uint64 firstTime,uint64 lastTime)"
    );

    /// @inheritdoc ILedger
    uint256 public immutable deploymentBlock = block.number;

    mapping(address account => Publisher) private _publishers;
    MerkleLog.Log private _log;

    constructor(address admin) EIP712("Tidemark", "1") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(REGISTRAR_ROLE, admin);
    }

    /// @inheritdoc ILedger
    function append(Header[] calldata headers) external {
        if (headers.length == 0) revert Ledger_NoHeaders();
        _append(msg.sender, headers, true);
    }

    /// @inheritdoc ILedger
    function appendBySignature(Header[] calldata headers, uint256 deadline, bytes calldata signature) external {
        if (headers.length == 0) revert Ledger_NoHeaders();
        if (block.timestamp > deadline) revert Ledger_SignatureExpired(deadline);
        address signer = headers[0].publisher;
        bytes32 digest = _hashTypedDataV4(_appendHash(headers, deadline));
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert Ledger_SignatureInvalid(signer);
        }
        _append(signer, headers, false);
    }

    /// @inheritdoc ILedger
    function addPublisher(address account) external onlyRole(REGISTRAR_ROLE) {
        Status status = _publishers[account].status;
        if (status == Status.Active) revert Ledger_PublisherActive(account);
        if (status == Status.Suspended) revert Ledger_PublisherSuspended(account);
        _publishers[account].status = Status.Active;
        emit PublisherAdded(account);
    }

    /// @inheritdoc ILedger
    function suspendPublisher(address account) external onlyRole(REGISTRAR_ROLE) {
        _requireActive(account, _publishers[account].status);
        _publishers[account].status = Status.Suspended;
        emit PublisherSuspended(account);
    }

    /// @inheritdoc ILedger
    function reinstatePublisher(address account) external onlyRole(REGISTRAR_ROLE) {
        Status status = _publishers[account].status;
        if (status == Status.None) revert Ledger_PublisherUnknown(account);
        if (status == Status.Active) revert Ledger_PublisherActive(account);
        _publishers[account].status = Status.Active;
        emit PublisherReinstated(account);
    }

    /// @inheritdoc ILedger
    function size() external view returns (uint64) {
        return uint64(_log.size);
    }

    /// @inheritdoc ILedger
    function root() external view returns (bytes32) {
        return _log.root();
    }

    /// @inheritdoc ILedger
    function peaks() external view returns (bytes32[] memory) {
        return _log.peaks();
    }

    /// @inheritdoc ILedger
    function publisher(address account) external view returns (uint64 nextSequence, Status status) {
        Publisher storage entry = _publishers[account];
        return (entry.nextSequence, entry.status);
    }

    /// @inheritdoc ILedger
    function verifyRecord(
        bytes32 leafHash,
        uint32 recordIndex,
        bytes32[] calldata recordPath,
        Header calldata header,
        uint64 headerIndex,
        bytes32[] calldata headerPath
    ) external view {
        MerkleLog.verifyInclusion(header.recordsRoot, header.recordCount, recordIndex, leafHash, recordPath);
        verifyHeader(header, headerIndex, headerPath);
    }

    /// @inheritdoc ILedger
    function verifyHeader(Header calldata header, uint64 index, bytes32[] calldata path) public view {
        _log.verifyLeaf(index, _leafHash(header), path);
    }

    /// @inheritdoc ILedger
    function headerHash(Header calldata header) external pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", abi.encode(header)));
    }

    /// @dev As `headerHash`, but cheaper, and blind to bits beyond a member's type: the event in `_append` refuses
    /// those, so no header of the log has any.
    function _leafHash(Header calldata header) private view returns (bytes32) {
        bytes calldata data;
        // A struct of static members lies in calldata just as abi.encode writes it: eight words.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            data.offset := header
            data.length := 0x100
        }
        return MerkleLog.hashLeaf(data);
    }

    function _append(address account, Header[] calldata headers, bool skipRepeated) private {
        Publisher storage entry = _publishers[account];
        _requireActive(account, entry.status);
        uint64 expected = entry.nextSequence;
        MerkleLog.Draft memory draft = _log.draft(headers.length);

        for (uint256 i = 0; i < headers.length; ++i) {
            Header calldata header = headers[i];
            if (header.publisher != account) revert Ledger_PublisherMismatch(account, header.publisher);
            uint64 sequence = header.sequence;
            if (sequence < expected) {
                if (skipRepeated) continue;
                revert Ledger_SequenceReplayed(account, expected, sequence);
            }
            if (sequence > expected) revert Ledger_SequenceGap(account, expected, sequence);
            _requireSane(header);

            (uint256 index, bytes32 node) = draft.push(_log, _leafHash(header));
            ++expected;
            emit Appended(uint64(index), account, header, node);
        }

        entry.nextSequence = expected;
        draft.commit(_log);
    }

    function _requireActive(address account, Status status) private pure {
        if (status == Status.None) revert Ledger_PublisherUnknown(account);
        if (status == Status.Suspended) revert Ledger_PublisherSuspended(account);
    }

    function _requireSane(Header calldata header) private pure {
        if (header.recordCount == 0) revert Ledger_NoRecords(header.sequence);
        if (header.indexSize == 0) revert Ledger_NoIndex(header.sequence);
        if (header.firstTime > header.lastTime) {
            revert Ledger_TimesReversed(header.sequence, header.firstTime, header.lastTime);
        }
    }

    function _appendHash(Header[] calldata headers, uint256 deadline) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](headers.length);
        for (uint256 i = 0; i < headers.length; ++i) {
            hashes[i] = keccak256(abi.encode(HEADER_TYPEHASH, headers[i]));
        }
        return keccak256(abi.encode(APPEND_TYPEHASH, keccak256(abi.encodePacked(hashes)), deadline));
    }
}
