// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleLog} from "../libraries/MerkleLog.sol";

/// @notice Exposes MerkleLog to tests.
contract MerkleLogHarness {
    using MerkleLog for MerkleLog.Log;
    using MerkleLog for MerkleLog.Draft;

    MerkleLog.Log private _log;

    event Pushed(uint256 index, bytes32 node);

    function push(bytes32[] calldata leafHashes) external {
        MerkleLog.Draft memory draft = _log.draft(leafHashes.length);
        for (uint256 i = 0; i < leafHashes.length; ++i) {
            (uint256 index, bytes32 node) = draft.push(_log, leafHashes[i]);
            emit Pushed(index, node);
        }
        draft.commit(_log);
    }

    function size() external view returns (uint64) {
        return uint64(_log.size);
    }

    function root() external view returns (bytes32) {
        return _log.root();
    }

    function peaks() external view returns (bytes32[] memory) {
        return _log.peaks();
    }

    function verifyLeaf(uint64 index, bytes32 leafHash, bytes32[] calldata path) external view {
        _log.verifyLeaf(index, leafHash, path);
    }

    function verifyInclusion(
        bytes32 root_,
        uint64 size_,
        uint64 index,
        bytes32 leafHash,
        bytes32[] calldata path
    ) external view {
        MerkleLog.verifyInclusion(root_, size_, index, leafHash, path);
    }

    function verifyConsistency(
        bytes32 root1,
        uint64 size1,
        bytes32 root2,
        uint64 size2,
        bytes32[] calldata path
    ) external view {
        MerkleLog.verifyConsistency(root1, size1, root2, size2, path);
    }

    function hashLeaf(bytes calldata data) external view returns (bytes32) {
        return MerkleLog.hashLeaf(data);
    }

    function hashNode(bytes32 left, bytes32 right) external view returns (bytes32) {
        return MerkleLog.hashNode(left, right);
    }
}
