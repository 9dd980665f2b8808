// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";

/// @title Registry
/// @notice See IRegistry.
contract Registry is IRegistry, AccessControl {
    /// @dev What a decision asks of a source or a resource, in one slot. Of everything it is the breaker alone.
    struct Entry {
        uint64 trippedAt;
        uint32 version;
        Sharing sharing;
        uint8 level;
    }

    struct Details {
        bytes32 owner;
        bytes32 digest;
    }

    struct Period {
        uint64 from;
        uint64 until;
    }

    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");

    /// @inheritdoc IRegistry
    uint256 public immutable deploymentBlock = block.number;

    mapping(Kind kind => mapping(bytes32 id => Entry)) private _entries;
    mapping(bytes32 resource => Details) private _details;
    mapping(bytes32 source => mapping(address key => Period)) private _periods;

    constructor(address governance, address registrar, address guardian) {
        _grantRole(DEFAULT_ADMIN_ROLE, governance);
        _grantRole(REGISTRAR_ROLE, registrar);
        _grantRole(GUARDIAN_ROLE, guardian);
        _entries[Kind.Everything][0].version = 1;
    }

    /// @inheritdoc IRegistry
    function addSource(string calldata uri) external onlyRole(REGISTRAR_ROLE) returns (bytes32 source) {
        source = sha256(bytes(uri));
        if (isSource(source)) revert Registry_SourceKnown(source);
        _entries[Kind.Source][source].version = 1;
        emit SourceAdded(source, uri);
    }

    /// @inheritdoc IRegistry
    function addKey(bytes32 source, address key, uint64 until) external onlyRole(REGISTRAR_ROLE) {
        if (!isSource(source)) revert Registry_SourceUnknown(source);
        if (key == address(0)) revert Registry_KeyZero();
        if (_periods[source][key].from != 0) revert Registry_KeyKnown(source, key);
        uint64 from = uint64(block.timestamp);
        if (until <= from) revert Registry_PeriodEmpty(from, until);
        _periods[source][key] = Period({from: from, until: until});
        emit KeyAdded(source, key, from, until);
    }

    /// @inheritdoc IRegistry
    function endKey(bytes32 source, address key) external onlyRole(REGISTRAR_ROLE) {
        uint64 time = uint64(block.timestamp);
        if (!isKeyOf(source, key, time)) revert Registry_KeyInvalid(source, key);
        _periods[source][key].until = time;
        emit KeyEnded(source, key);
    }

    /// @inheritdoc IRegistry
    function setResource(
        string calldata name,
        bytes32 owner,
        Sharing sharing,
        uint8 level,
        bytes32 digest
    ) external onlyRole(REGISTRAR_ROLE) returns (bytes32 id) {
        id = sha256(bytes(name));
        if (!isSource(owner)) revert Registry_SourceUnknown(owner);
        if (sharing == Sharing.None) revert Registry_SharingMissing(id);
        Entry storage entry = _entries[Kind.Resource][id];
        uint32 version = entry.version + 1;
        entry.version = version;
        entry.sharing = sharing;
        entry.level = level;
        _details[id] = Details({owner: owner, digest: digest});
        emit ResourceSet(id, version, owner, sharing, level, digest, name);
    }

    /// @inheritdoc IRegistry
    function trip(Target calldata target, string calldata reason) external onlyRole(GUARDIAN_ROLE) {
        Entry storage entry = _entries[target.kind][target.id];
        if (entry.version == 0) revert Registry_TargetUnknown(target.kind, target.id);
        if (entry.trippedAt != 0) revert Registry_TargetTripped(target.kind, target.id);
        entry.trippedAt = uint64(block.timestamp);
        emit Tripped(target.kind, target.id, msg.sender, reason);
    }

    /// @inheritdoc IRegistry
    function reset(Target calldata target, string calldata reason) external onlyRole(REGISTRAR_ROLE) {
        Entry storage entry = _entries[target.kind][target.id];
        if (entry.trippedAt == 0) revert Registry_TargetNotTripped(target.kind, target.id);
        entry.trippedAt = 0;
        emit Reset(target.kind, target.id, msg.sender, reason);
    }

    /// @inheritdoc IRegistry
    function keyPeriod(bytes32 source, address key) external view returns (uint64 from, uint64 until) {
        Period storage period = _periods[source][key];
        return (period.from, period.until);
    }

    /// @inheritdoc IRegistry
    function resource(
        bytes32 id
    ) external view returns (uint32 version, bytes32 owner, Sharing sharing, uint8 level, bytes32 digest) {
        Entry storage entry = _entries[Kind.Resource][id];
        Details storage details = _details[id];
        return (entry.version, details.owner, entry.sharing, entry.level, details.digest);
    }

    /// @inheritdoc IRegistry
    function isTripped(Target calldata target) external view returns (bool) {
        return trippedAt(target) != 0;
    }

    /// @inheritdoc IRegistry
    function standing(
        bytes32 source,
        bytes32 resource_
    ) external view returns (bool known, Sharing sharing, bool tripped) {
        Entry storage consumer = _entries[Kind.Source][source];
        Entry storage used = _entries[Kind.Resource][resource_];
        known = consumer.version != 0;
        sharing = used.sharing;
        tripped =
            consumer.trippedAt != 0 ||
            used.trippedAt != 0 ||
            _entries[Kind.Everything][0].trippedAt != 0 ||
            _entries[Kind.Source][_details[resource_].owner].trippedAt != 0;
    }

    /// @inheritdoc IRegistry
    function isKeyOf(bytes32 source, address key, uint64 time) public view returns (bool) {
        Period storage period = _periods[source][key];
        return period.from <= time && time < period.until;
    }

    /// @inheritdoc IRegistry
    function isSource(bytes32 source) public view returns (bool) {
        return _entries[Kind.Source][source].version != 0;
    }

    /// @inheritdoc IRegistry
    function trippedAt(Target calldata target) public view returns (uint64) {
        return _entries[target.kind][target.id].trippedAt;
    }
}
