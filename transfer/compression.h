#ifndef FLAKY_TRANSFER_COMPRESSION_H_
#define FLAKY_TRANSFER_COMPRESSION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

// Streams of bytes, compressed or not, in constant memory.
namespace flaky {

enum class Compression { kNone, kGzip, kZstd };

// By the end of a file's name: `.gz`, `.zst`.
Compression CompressionOf(std::string_view file_name);

// Takes a stream in pieces and gives it on compressed.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void Write(std::string_view bytes) = 0;
  // Completes the stream; called once, after the last Write.
  virtual void Finish() = 0;
};

// `out` gets the compressed bytes; what it throws comes out of the encoder. Both compressions carry a checksum.
std::unique_ptr<Encoder> MakeEncoder(Compression compression, std::function<void(std::string_view)> out);

// Gives a stream as it was before it was compressed.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Up to `size` bytes; 0 at the end. Throws StoreError (kInvalid) for a stream that is damaged or that ends early.
  virtual size_t Read(char* to, size_t size) = 0;
};

// Recognises the compression by the first bytes that `in` gives; several compressed streams behind one another are one.
// `in` reads as Decoder::Read does. `name`: what is read, for errors.
std::unique_ptr<Decoder> MakeDecoder(std::function<size_t(char*, size_t)> in, const std::string& name);

}  // namespace flaky

#endif  // FLAKY_TRANSFER_COMPRESSION_H_
