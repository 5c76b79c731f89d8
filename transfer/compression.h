// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_COMPRESSION_H_
#define FLAKY_TRANSFER_COMPRESSION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

// Compressed and uncompressed streams of bytes, in constant memory.
namespace flaky {

enum class Compression { kNone, kGzip, kZstd };

// Returns the compression for the ending of a file name: kGzip for `.gz`, kZstd for `.zst`, else kNone.
Compression CompressionOf(std::string_view file_name);

// Compresses a stream piece by piece.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void Write(std::string_view bytes) = 0;
  // Completes the stream. Called once, after the last Write.
  virtual void Finish() = 0;
};

// `out` receives the compressed bytes. Its exceptions pass through the encoder. Both compressions include a checksum.
std::unique_ptr<Encoder> MakeEncoder(Compression compression, std::function<void(std::string_view)> out);

// Decompresses a stream.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Reads up to `size` bytes and returns how many; 0 at the end. Throws StoreError (kInvalid) if the stream is damaged
  // or ends early.
  virtual size_t Read(char* to, size_t size) = 0;
};

// Detects the compression from the first bytes that `in` reads. `in` has the contract of Decoder::Read. Several
// compressed streams in a row are read as one. `name`: of the input, for errors.
std::unique_ptr<Decoder> MakeDecoder(std::function<size_t(char*, size_t)> in, const std::string& name);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_COMPRESSION_H_
